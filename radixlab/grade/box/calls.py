"""The system calls that a box may make; whatever is not named here is refused.

A list of what is allowed stays right when a new kernel brings new calls. So there is no new process
and no other program; no message to another process; no change of modes, owners, times or
attributes; no priority and no affinity; no shared memory, semaphore or queue that outlives the box;
no socket except a pair whose two ends are both inside; no mount, no tracing, no kernel programs.
"""

from typing import NamedTuple

from radixlab.grade.box.bpf import Condition, Program

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What the kernel calls a machine. The tables below have a column for each, in this order."""
_TABLE = """
Files: what may be opened is decided by Landlock.
    read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69,
    pwritev 296 70, lseek 8 62, open 2 -, openat 257 56, openat2 437 437, creat 85 -, close 3 57,
    close_range 436 436, stat 4 -, fstat 5 80, lstat 6 -, newfstatat 262 79, statx 332 291,
    statfs 137 43, fstatfs 138 44, access 21 -, faccessat 269 48, faccessat2 439 439,
    readlink 89 -, readlinkat 267 78, getdents 78 -, getdents64 217 61, getcwd 79 17, chdir 80 49,
    fchdir 81 50, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35,
    rename 82 -, renameat 264 38, renameat2 316 276, ftruncate 77 46, fsync 74 82, fdatasync 75 83,
    umask 95 166, fadvise64 221 223, sendfile 40 71, copy_file_range 326 285, dup 32 23, dup2 33 -,
    dup3 292 24, fcntl 72 25, ioctl 16 29
Pipes and waiting for them.
    pipe 22 -, pipe2 293 59, select 23 -, pselect6 270 72, poll 7 -, ppoll 271 73,
    epoll_create1 291 20, epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22,
    socketpair 53 199, sendto 44 206, recvfrom 45 207, shutdown 48 210
Memory and threads.
    brk 12 214, mmap 9 222, munmap 11 215, mremap 25 216, mprotect 10 226, madvise 28 233,
    membarrier 324 283, clone 56 220, futex 202 98, set_robust_list 273 99, rseq 334 293,
    set_tid_address 218 96, gettid 186 178, sched_yield 24 124, sched_getaffinity 204 123,
    getcpu 309 168, exit 60 93, exit_group 231 94
Signals, to itself only.
    rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136,
    rt_sigtimedwait 128 137, sigaltstack 131 132, restart_syscall 219 128, pause 34 -, alarm 37 -,
    getitimer 36 102, setitimer 38 103, kill 62 129, tgkill 234 131, rt_sigqueueinfo 129 138,
    rt_tgsigqueueinfo 297 240
Time, and questions about itself and the machine.
    time 201 -, gettimeofday 96 169, clock_gettime 228 113, clock_getres 229 114, nanosleep 35 101,
    clock_nanosleep 230 115, times 100 153, getpid 39 172, getppid 110 173, getuid 102 174,
    geteuid 107 175, getgid 104 176, getegid 108 177, getgroups 115 158, getresuid 118 148,
    getresgid 120 150, getpgid 121 155, getpgrp 111 -, getsid 124 156, getrusage 98 165,
    getrlimit 97 163, prlimit64 302 261, getpriority 140 141, uname 63 160, sysinfo 99 179,
    getrandom 318 278, prctl 157 167
"""
CLONE3, NEWEST = 435, 452
"""The same on both machines. Libraries try these first, and fall back where there are none."""
ALLOW, NOT_PERMITTED, NO_SUCH_CALL = 0x7FFF0000, 0x00050001, 0x00050026
_NUMBER, _MACHINE = 0, 4  # offsets in `struct seccomp_data`
_ITSELF = -1
"""Stands for the number of the process for which the filter is made."""


class Rule(NamedTuple):
    """What 32 bits of an argument must be for a call to be allowed."""

    argument: int
    one_of: tuple[int, ...] = ()
    has: int = 0
    lacks: int = 0
    upper: bool = False
    """The upper half of the 64 bits, which matters for an address."""


_TO_ITSELF = Rule(0, one_of=(0, _ITSELF))  # 0 is its own process group
_STREAM, _CLOSE_ON_EXEC, _NON_BLOCKING = 1, 0x80000, 0x800
RULES = {
    "kill": (_TO_ITSELF,),
    "tgkill": (_TO_ITSELF,),
    "rt_sigqueueinfo": (_TO_ITSELF,),
    "rt_tgsigqueueinfo": (_TO_ITSELF,),
    # Its own limits may be read. New ones would be argument 2, an address.
    "prlimit64": (_TO_ITSELF, Rule(2, one_of=(0,)), Rule(2, one_of=(0,), upper=True)),
    # A thread, never a process, and in no other namespace.
    "clone": (Rule(0, has=0x10000), Rule(0, lacks=0x7E020000)),
    # Memory that is mapped as shared would not count as its own, and could hold a deleted file.
    "mmap": (Rule(3, lacks=0x1),),
    # What allocators and libraries advise. Root could take pages of memory away from everybody.
    "madvise": (Rule(2, one_of=(0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 102, 103)),),
    # Is it a terminal, how many bytes wait, closed on exec: no flags of files, no signals.
    "ioctl": (Rule(1, one_of=(0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),),
    # Copies and flags of descriptors: no locks, no leases, no signals.
    "fcntl": (Rule(1, one_of=(0, 1, 2, 3, 4, 1030)),),
    # Names of threads and of memory: the signal that ends the box with its judge stays as it is.
    "prctl": (Rule(0, one_of=(15, 16, 0x53564D41)),),
    # A connected pair of this process, which `asyncio` uses to wake itself.
    "socketpair": (
        Rule(0, one_of=(1,)),
        Rule(
            1,
            one_of=tuple(_STREAM | c | n for c in (0, _CLOSE_ON_EXEC) for n in (0, _NON_BLOCKING)),
        ),
    ),
}


def numbers(machine: str) -> dict[str, int]:
    """Return the numbers of the allowed calls that a machine has, by name."""
    column = 1 + list(MACHINES).index(machine)
    rows = [
        entry.split()
        for line in _TABLE.splitlines()
        if line.startswith(" ")
        for entry in line.split(",")
        if entry.strip()
    ]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def filter_for(machine: str, own_pid: int) -> Program:
    """Write the program that decides about every call of one process."""
    program = Program()
    program.load(_MACHINE)
    program.jump_unless(
        Condition.EQUAL, MACHINES[machine], "refuse"
    )  # 32-bit calls have other numbers
    program.load(_NUMBER)
    program.jump_if(Condition.AT_LEAST, 1 << 30, "refuse")  # and so has x32
    program.jump_if(Condition.AT_LEAST, NEWEST, "missing")
    program.jump_if(
        Condition.EQUAL, CLONE3, "missing"
    )  # its flags are out of sight; `clone` shows them
    allowed = numbers(machine)
    for name, number in allowed.items():
        program.jump_if(Condition.EQUAL, number, name if name in RULES else "allow")
    program.jump("refuse")
    for name in RULES.keys() & allowed.keys():
        program.label(name)
        for rule in RULES[name]:
            _check(program, rule, own_pid)
        program.jump("allow")
    for verdict, value in (("allow", ALLOW), ("refuse", NOT_PERMITTED), ("missing", NO_SUCH_CALL)):
        program.label(verdict)
        program.give(value)
    return program


def _check(program: Program, rule: Rule, own_pid: int) -> None:
    program.load(16 + 8 * rule.argument + 4 * rule.upper)
    if rule.has:
        program.jump_unless(Condition.HAS_A_BIT_OF, rule.has, "refuse")
    if rule.lacks:
        program.jump_if(Condition.HAS_A_BIT_OF, rule.lacks, "refuse")
    if rule.one_of:
        good = program.new_label()
        for value in rule.one_of:
            program.jump_if(Condition.EQUAL, own_pid if value == _ITSELF else value, good)
        program.jump("refuse")
        program.label(good)
