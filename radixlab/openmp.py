"""Makes PyTorch's threads sleep while they wait for each other, instead of spinning.

PyTorch's threads wait for each other after every operation. By default a waiting thread spins for a
while, that is, it keeps its core busy, so that it can go on sooner. When other processes need the
core, a spinning thread takes time from the thread that it waits for, and a step of many small
operations becomes much slower. OpenMP reads `OMP_WAIT_POLICY` once, when torch is loaded. So this
file sets the variable on import, and the packages that need torch import this file first. A value
that the user has set stays.
"""

import os
import sys

COMES_FIRST = "torch" not in sys.modules
"""Whether this file was imported before torch; otherwise the variable has no effect."""

if COMES_FIRST:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def num_cores() -> int:
    """Return the number of physical cores that this process may use. Off Linux: all."""
    try:
        allowed = os.sched_getaffinity(0)
        return len({_siblings(core) for core in allowed})
    except (AttributeError, OSError):  # not Linux
        return os.cpu_count() or 1


def _siblings(core: int) -> str:
    """Return the names of the threads that share a physical core."""
    path = f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
    with open(path, encoding="ascii") as file:
        return file.read()
