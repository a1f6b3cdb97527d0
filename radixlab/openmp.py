"""How PyTorch's threads wait for each other: asleep, and not in a loop that keeps a core busy.

PyTorch's threads meet after every operation. A thread that comes first usually spins for a while,
because it then goes on sooner. But when other processes want the core, the spinning thread takes
time from the thread that it waits for, and a step of many small operations becomes ten times as
slow. OpenMP reads its variable once, when torch is loaded; so this file has its effect when it is
imported, and the packages that need torch import it first. A value that is set already stays.
"""

import os
import sys

COMES_FIRST = "torch" not in sys.modules
"""Whether torch was loaded later than this file; else the variable has no effect."""

if COMES_FIRST:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def num_cores() -> int:
    """Return the number of physical cores that this process may use, as far as Linux tells."""
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
