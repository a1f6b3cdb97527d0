"""What a process has used, as the system counts it: out of reach of the code that runs in it."""

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time and memory of a process since it began; subtract two to measure what lies between.

    A field is None where the system does not tell.
    """

    cpu_s: float | None
    """Seconds of CPU time of all its threads. On Linux this clock counts single nanoseconds."""
    memory_bytes: int | None
    """Bytes of memory that are resident and not shared."""


def usage_of(pid: int) -> Usage:
    """Read the usage of a process of the same user.

    Linux names the CPU clock of another process by its number (`clock_getcpuclockid(3)`). It counts
    nanoseconds. With a limit on its CPU seconds a process would be counted at the kernel's ticks
    while it runs; so a box has no such limit, and `watch` counts its time from outside.
    """
    cpu_s = memory_bytes = None
    if pid == os.getpid():
        cpu_s = time.process_time()
    if sys.platform == "linux":
        with suppress(OSError):
            cpu_s = time.clock_gettime((~pid << 3) | 2)
        with suppress(OSError, IndexError, ValueError):
            _, resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[:3]
            memory_bytes = (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
    return Usage(cpu_s, memory_bytes)


def scheduled(pid: int, thread: int) -> tuple[float, float] | None:
    """Return the seconds that a thread has run, and waited while others had its core."""
    with suppress(OSError, IndexError, ValueError):
        ran, waited = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[:2]
        return int(ran) / 1e9, int(waited) / 1e9
    return None


def threads_of(pid: int) -> list[int]:
    """Return the numbers of the threads of a process; none where the system does not tell."""
    with suppress(OSError):
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    return []


def written_bytes(pid: int) -> int:
    """Return how many bytes a process has written: to files, pipes and devices."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("wchar:")).split()[1])
    return 0
