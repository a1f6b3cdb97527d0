"""What Linux keeps the box from: other people's files, processes and networks.

Without it a submission could read the worked solution beside it, change the grader on the disk, end
the process that judges it, or leave something running. Two doors of the kernel, open to any user:

- Landlock   no file but those named, no TCP, no signal to a process outside
- seccomp    no new process, no other program, no word to another process

Each is there or not, as the kernel has it; elsewhere the box is as safe as its limits make it.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Iterable, Iterator

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2  # of <linux/prctl.h>
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine

_READ = 1 << 2 | 1 << 3  # files, and what a folder holds
_NEEDS_FOLDER = (1 << 14) - (1 << 3)  # listing, making, removing and moving
_ALL_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""What each version of Landlock can refuse; bit 0 is to run a program."""


def fence(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Close both doors for this process, for good; call it before there is a second thread."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _close_files(libc, readable, writable)
        _close_calls(libc)


def landlock_version() -> int:
    """Return what the kernel has: from 4 on TCP is closed too, from 6 on signals; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, 1)))


def has_filter() -> bool:
    """Tell whether system calls can be refused: we know their numbers on two kinds of machine."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _close_files(libc: ctypes.CDLL, readable: Iterable[str], writable: Iterable[str]) -> None:
    version = landlock_version()
    if version == 0:
        return
    handled = max(bits for since, bits in _ALL_FILES.items() if since <= version)
    ruleset = _Ruleset(handled, 0b11, 0b11)  # TCP: bind, connect; out of it: sockets, signals
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if rules < 0:
        return
    for paths, allowed in ((readable, _READ), (writable, handled & ~1)):
        for path in paths:
            _allow(libc, rules, path, allowed & handled)
    libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # this machine has no such place
    if not os.path.isdir(path):
        allowed &= ~_NEEDS_FOLDER
    rule = _Beneath(allowed, place)
    libc.syscall(_ADD_RULE, rules, 1, ctypes.byref(rule), 0)
    os.close(place)


# seccomp: a small program that the kernel runs at every system call, on its number and arguments.

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""The kernel's name for a machine, and its column below."""
_REFUSED = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "tkill": (200, 130),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
}
_ONLY_TO_ITSELF = {
    "kill": (62, 129),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "prlimit64": (302, 261),
}
_CLONE, _CLONE3 = (56, 220), 435
_THREAD = 0x10000  # CLONE_THREAD: a thread, no new process
_LOAD, _EQUAL, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # where they stand in what is looked at
_ALLOW, _NOT_PERMITTED, _NO_SUCH_CALL = 0x7FFF0000, 0x00050001, 0x00050026
Instruction = tuple[int, int, int, int]
"""Code, how many to skip if so and if not, and the value."""


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_so", ctypes.c_uint8),
        ("if_not", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def _close_calls(libc: ctypes.CDLL) -> None:
    if not has_filter():
        return
    found = [_Step(*step) for step in _program(*_MACHINES[platform.machine()], os.getpid())]
    program = _Program(len(found), (_Step * len(found))(*found))
    libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)


def _program(machine: int, column: int, own: int) -> Iterator[Instruction]:
    yield _LOAD, 0, 0, _MACHINE
    yield _EQUAL, 1, 0, machine
    yield _RETURN, 0, 0, _NOT_PERMITTED  # 32-bit calls have other numbers
    yield _LOAD, 0, 0, _NUMBER
    yield _AT_LEAST, 0, 1, 1 << 30  # and so has x32
    yield _RETURN, 0, 0, _NOT_PERMITTED
    yield _EQUAL, 0, 1, _CLONE3  # its flags lie where we cannot look; then libc takes clone
    yield _RETURN, 0, 0, _NO_SUCH_CALL
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            yield _EQUAL, 0, 1, int(numbers[column] or 0)
            yield _RETURN, 0, 0, _NOT_PERMITTED
    for pair in _ONLY_TO_ITSELF.values():
        yield _EQUAL, 0, 5, pair[column]
        yield _LOAD, 0, 0, _FIRST_ARGUMENT
        yield _EQUAL, 2, 0, 0  # its own group, which is its own session
        yield _EQUAL, 1, 0, own
        yield _RETURN, 0, 0, _NOT_PERMITTED
        yield _RETURN, 0, 0, _ALLOW
    yield _EQUAL, 0, 3, _CLONE[column]
    yield _LOAD, 0, 0, _FIRST_ARGUMENT
    yield _HAS_BIT, 1, 0, _THREAD
    yield _RETURN, 0, 0, _NOT_PERMITTED
    yield _RETURN, 0, 0, _ALLOW
