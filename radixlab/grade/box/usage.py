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
    """Seconds of CPU time of all its threads."""
    memory_bytes: int | None
    """Bytes of memory that are its own and resident."""


def usage_of(pid: int) -> Usage:
    """Read the usage of a process of the same user.

    Linux names the CPU clock of another process by its number (`clock_getcpuclockid(3)`).
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
