"""The filter of system calls, decided by an interpreter: no kernel is asked, for either machine."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.grade.box import missing_fence
from radixlab.grade.box.bpf import GIVE, JUMP, LOAD, Condition, Program
from radixlab.grade.box.calls import (
    ALLOW,
    CLONE3,
    MACHINES,
    NEWEST,
    NO_SUCH_CALL,
    NOT_PERMITTED,
    RULES,
    filter_for,
    numbers,
)
from radixlab.grade.box.fence import around

OWN, JUDGE = 4321, 1234
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
FAMILIES = {
    "processes": "fork vfork clone3 execve execveat ptrace process_vm_readv process_vm_writev "
    "tkill pidfd_open pidfd_send_signal pidfd_getfd kcmp process_madvise setsid setpgid wait4",
    "metadata": "chmod fchmod fchmodat chown lchown fchown fchownat utime utimes utimensat "
    "futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr truncate",
    "scheduling": "setpriority sched_setaffinity sched_setscheduler sched_setattr sched_setparam "
    "ioprio_set mbind migrate_pages move_pages",
    "memory of its own": "shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv mq_open "
    "mq_unlink memfd_create memfd_secret mlock mlockall remap_file_pages",
    "sockets": "socket connect bind listen accept accept4 sendmsg sendmmsg recvmsg",
    "names": "link linkat symlink symlinkat mknod mknodat chroot pivot_root flock fallocate",
    "identity": "setuid setgid setreuid setresuid setgroups capset setrlimit personality",
    "the kernel": "mount umount2 bpf io_uring_setup io_uring_enter userfaultfd keyctl add_key "
    "request_key perf_event_open unshare setns kexec_load kexec_file_load init_module "
    "finit_module delete_module fanotify_init inotify_init1 open_by_handle_at quotactl reboot "
    "sethostname settimeofday clock_settime adjtimex swapon syslog acct lookup_dcookie splice "
    "vmsplice tee timer_create signalfd4 seccomp landlock_create_ruleset open_tree move_mount "
    "fsopen fsmount mount_setattr nfsservctl iopl ioperm modify_ldt",
}


def verdict(steps, number, arguments=(), machine="x86_64", arch=None):
    """Run a filter as the kernel does, on a call and up to six arguments of 64 bits."""
    words = [number, MACHINES[machine] if arch is None else arch, 0, 0]
    for argument in (*arguments, *[0] * 6)[:6]:
        words += [argument & 0xFFFFFFFF, argument >> 32 & 0xFFFFFFFF]
    at, loaded = 0, None
    while True:
        step, at = steps[at], at + 1
        if step.code == LOAD:
            loaded = words[step.value // 4]
        elif step.code == JUMP:
            at += step.value
        elif step.code == GIVE:
            return step.value
        else:
            holds = {
                Condition.EQUAL: loaded == step.value,
                Condition.AT_LEAST: loaded >= step.value,
                Condition.HAS_A_BIT_OF: bool(loaded & step.value),
            }[step.code]
            at += step.if_so if holds else step.if_not


@pytest.fixture(scope="module", params=MACHINES)
def machine(request):
    return request.param


@pytest.fixture(scope="module")
def decide(machine):
    steps = filter_for(machine, OWN).assembled()
    names = numbers(machine)

    def ask(call, *arguments):
        number = names[call] if isinstance(call, str) else call
        return verdict(steps, number, arguments, machine)

    return ask


def test_every_call_is_allowed_by_name_or_refused(machine, decide):
    free = {number for name, number in numbers(machine).items() if name not in RULES}
    ruled = {number for name, number in numbers(machine).items() if name in RULES}
    for number in set(range(2 * NEWEST)) - ruled:
        missing = number == CLONE3 or number >= NEWEST
        expected = ALLOW if number in free else NO_SUCH_CALL if missing else NOT_PERMITTED
        assert decide(number) == expected, number


def test_the_calls_of_another_machine_are_refused(machine):
    steps = filter_for(machine, OWN).assembled()
    for arch in {0, 0x40000003, *MACHINES.values()} - {MACHINES[machine]}:
        assert verdict(steps, numbers(machine)["read"], (), machine, arch) == NOT_PERMITTED
    assert verdict(steps, 0x40000000 | numbers(machine)["read"], (), machine) == NOT_PERMITTED


PAGE = 0x7FFF_0000_1000
CASES = [
    *[(call, (who,), who in (0, OWN)) for call in ("kill", "tgkill", "rt_sigqueueinfo")
      for who in (0, OWN, JUDGE, 1, 0xFFFFFFFF)],
    ("prlimit64", (0, 3, 0, PAGE), True),
    ("prlimit64", (OWN, 3, 0, PAGE), True),
    ("prlimit64", (JUDGE, 3, 0, PAGE), False),
    ("prlimit64", (0, 7, PAGE, 0), False),
    ("prlimit64", (0, 7, 1 << 40, 0), False),
    ("clone", (0x3D0F00,), True),
    *[("clone", (flags,), False) for flags in (17, 0x1200011, 0x4111, 0x10000000)],
    *[("clone", (0x3D0F00 | space,), False) for space in (0x20000, 0x4000000, 0x40000000)],
    *[("madvise", (PAGE, 4096, advice), True) for advice in (0, 4, 8, 14, 16)],
    *[("madvise", (PAGE, 4096, advice), False) for advice in (9, 12, 21, 100, 101)],
    ("mmap", (0, 4096, 3, 0x22), True),
    *[("mmap", (0, 4096, 3, flags), False) for flags in (0x1, 0x21, 0x3)],
    *[("ioctl", (3, command), True) for command in (0x5401, 0x5421, 0x5451)],
    *[("ioctl", (3, command), False) for command in (0x40086602, 0x8901, 0x5412, 0x40049409)],
    *[("fcntl", (3, command), True) for command in (0, 1, 2, 3, 4, 1030)],
    *[("fcntl", (3, command), False) for command in (6, 8, 10, 15, 1024, 1026, 1031, 1033)],
    *[("prctl", (option,), option in (15, 16)) for option in (1, 4, 15, 16, 22, 35)],
    ("socketpair", (1, 1), True),
    ("socketpair", (1, 0x80001), True),
    *[("socketpair", pair, False) for pair in ((1, 2), (1, 5), (1, 0x80002), (2, 1), (16, 3))],
]  # fmt: skip


@pytest.mark.parametrize(("call", "arguments", "is_allowed"), CASES)
def test_a_rule_looks_at_arguments(decide, call, arguments, is_allowed):
    assert decide(call, *arguments) == (ALLOW if is_allowed else NOT_PERMITTED)


def in_headers(machine):
    if not HEADERS[machine].exists():
        pytest.skip("this system has no kernel headers")
    text = HEADERS[machine].read_text("utf-8")
    return {
        name: int(number) for name, number in re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)\n", text)
    }


def test_numbers_are_those_of_the_kernels_headers(machine):
    known = in_headers(machine)
    known.setdefault("newfstatat", known.get("fstatat"))
    wrong = {n: (known[n], number) for n, number in numbers(machine).items() if known[n] != number}
    assert not wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_what_reaches_beyond_the_box_is_refused(machine, decide, family):
    known = in_headers(machine)
    for call in FAMILIES[family].split():
        if call in known and known[call] != CLONE3:
            assert decide(known[call], OWN) == NOT_PERMITTED, call


@given(st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=700))
def test_jumps_of_any_length_lead_to_their_labels(values):
    program = Program()
    program.load(0)
    for value in values:
        program.jump_if(Condition.EQUAL, value, f"is {value}")
    program.give(7)
    for place, value in enumerate(values):
        program.label(f"is {value}")
        program.give(1000 + place)
    steps = program.assembled()
    for place, value in list(enumerate(values))[::50]:
        assert verdict(steps, value) == 1000 + place
    assert verdict(steps, next(n for n in range(len(values) + 1) if n not in values)) == 7


def test_a_jump_back_and_a_second_label_are_our_bugs():
    program = Program()
    program.label("here")
    program.jump("here")
    with pytest.raises(AssertionError, match="jump back"):
        program.assembled()
    with pytest.raises(AssertionError, match="two labels"):
        program.label("here")


@pytest.mark.parametrize(
    ("landlock", "has_filter", "says"),
    [
        (0, False, "no Landlock and no seccomp: a submission can read and change your files, the "),
        (0, True, "no Landlock: a submission can read and change your files, the worked solutions"),
        (4, False, "no seccomp: a submission can start programs and use the network. Grade only"),
    ],
)
def test_a_missing_fence_is_told_in_one_sentence(monkeypatch, landlock, has_filter, says):
    monkeypatch.setattr("radixlab.grade.box.fence.landlock_version", lambda: landlock)
    monkeypatch.setattr("radixlab.grade.box.fence.has_filter", lambda: has_filter)
    assert says in missing_fence()
    assert "\n" not in missing_fence()


def test_a_whole_fence_is_nothing_to_tell(monkeypatch):
    monkeypatch.setattr("radixlab.grade.box.fence.landlock_version", lambda: 1)
    monkeypatch.setattr("radixlab.grade.box.fence.has_filter", lambda: True)
    assert missing_fence() is None


def test_hidden_folders_are_cut_out_of_what_may_be_read(tmp_path):
    for folder in ("lib/python/json", "lib/python/site-packages/torch", "lib/gcc", "share"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "lib" / "link").symlink_to(tmp_path / "lib/python/site-packages")
    hidden = [str(tmp_path / "lib/python/site-packages")]
    found = {Path(path).relative_to(tmp_path).as_posix() for path in around(str(tmp_path), hidden)}
    assert found == {"lib/python/json", "lib/gcc", "share"}
    assert list(around(str(tmp_path / "share"), hidden)) == [str(tmp_path / "share")]
    assert not list(around(hidden[0], hidden))
