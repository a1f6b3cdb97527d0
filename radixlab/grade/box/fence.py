"""What Linux keeps the box from: other people's files, processes and networks.

Without it a submission could read the worked solution beside it, change the grader on the disk, end
the process that judges it, or leave something running. Two doors of the kernel, open to any user:

- Landlock   no file outside the folders that are named, no TCP, no signal to a process outside
- seccomp    no system call but those in `calls`

`missing_fence` says in one sentence what a system lacks.
"""

import ctypes
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from radixlab.grade.box.calls import MACHINES, filter_for

_SET_NO_NEW_PRIVILEGES, _GET_SECCOMP, _SET_SECCOMP, _FILTER = 38, 21, 22, 2  # of <linux/prctl.h>
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_READ = 1 << 2 | 1 << 3  # files, and what a folder holds
_NEEDS_FOLDER = (1 << 14) - (1 << 3)  # listing, making, removing and moving
_ALL_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""What each version of Landlock can refuse; bit 0 is to run a program."""


def missing_fence() -> str | None:
    """Say what this system lacks and what that means; None where the fence is whole.

    A command that grades prints the sentence once, where nobody can miss it.
    """
    lacks, harms = [], []
    if landlock_version() == 0:
        lacks.append("Landlock")
        harms.append("read and change your files, the worked solutions among them")
    if not has_filter():
        lacks.append("seccomp")
        harms.append("start programs and use the network")
    if not lacks:
        return None
    return (
        f"There is no whole fence around submissions here, because this system has no "
        f"{' and no '.join(lacks)}: a submission can {', and it can '.join(harms)}. "
        f"Grade only code that you trust, or grade on Linux 5.13 or later."
    )


def landlock_version() -> int:
    """Return the version of Landlock that the kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, 1)))


def has_filter() -> bool:
    """Tell whether system calls can be refused: we know their numbers on two kinds of machine."""
    if sys.platform != "linux" or os.uname().machine not in MACHINES:
        return False
    return int(ctypes.CDLL(None).prctl(_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def fence(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Close both doors for this process, for good; call it before there is a second thread.

    Raises
    ------
    OSError
        A door that the system has does not close: then nothing of a learner's may run.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        _done(libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        if landlock_version():
            _close_files(libc, readable, writable)
        if has_filter():
            _close_calls(libc)


def around(path: str, hidden: Iterable[str]) -> Iterator[str]:
    """Yield the largest parts of a folder that hold none of the hidden folders."""
    within = [other for other in hidden if other == path or other.startswith(f"{path}/")]
    if not within:
        yield path
    elif path not in within:
        with suppress(OSError), os.scandir(path) as entries:
            for entry in entries:
                if not entry.is_symlink():  # what it leads to is allowed, or not, on its own
                    yield from around(entry.path, within)


def _done(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "the fence around submissions cannot be put up")
    return result


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _close_files(libc: ctypes.CDLL, readable: Iterable[str], writable: Iterable[str]) -> None:
    version = landlock_version()
    handled = max(bits for since, bits in _ALL_FILES.items() if since <= version)
    ruleset = _Ruleset(handled, 0b11, 0b11)  # TCP: bind, connect; out of it: sockets, signals
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _done(libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0))
    for paths, allowed in ((readable, _READ), (writable, handled & ~1)):
        for path in paths:
            _allow(libc, rules, path, allowed & handled)
    _done(libc.syscall(_RESTRICT_SELF, rules, 0))
    os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, allowed: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # this machine has no such file
    if not os.path.isdir(path):
        allowed &= ~_NEEDS_FOLDER
    rule = _Beneath(allowed, opened)
    _done(libc.syscall(_ADD_RULE, rules, 1, ctypes.byref(rule), 0))
    os.close(opened)


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_so", ctypes.c_uint8),
        ("if_not", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def _close_calls(libc: ctypes.CDLL) -> None:
    steps = [_Step(*step) for step in filter_for(os.uname().machine, os.getpid()).assembled()]
    program = _Filter(len(steps), (_Step * len(steps))(*steps))
    _done(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0))
