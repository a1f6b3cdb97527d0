"""The parts of the box by themselves: its folder, its watch, its end, and what crosses the wire."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.grade.box import Box, BoxClosed, BoxEnded, LearnerError
from radixlab.grade.box.folder import PREFIX, Folder
from radixlab.grade.box.peer import Peer
from radixlab.grade.box.usage import usage_of
from radixlab.grade.box.watch import Watch
from radixlab.grade.box.wire import MAX_ANSWER_BYTES, MAX_BITS, Wire, WireError
from tests.grade.test_judge import processes

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


# The folder


def nest(folder, depth, name):
    here = os.getcwd()
    os.chdir(folder)
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
    Path("file").touch()
    os.chdir(here)


def names_without_text(folder):
    for number in range(128, 256):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + bytes([number, 27]))).touch()


def shut(folder):
    for mode in (0, 0o100, 0o200, 0o300, 0o400):
        inner = folder / f"{mode:o}" / "in"
        inner.mkdir(parents=True)
        (inner / "file").touch()
        inner.chmod(mode)
        inner.parent.chmod(mode)


def links(folder):
    (folder / "out").symlink_to(folder.parent)
    (folder / "precious").symlink_to(folder.parent / "precious")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe")


FILLINGS = {
    "nothing": lambda folder: None,
    "a deep nest": lambda folder: nest(folder, 600, "d"),
    "long names": lambda folder: nest(folder, 40, "d" * 250),
    "names that are no text": names_without_text,
    "folders that are shut": shut,
    "links out of it": links,
    "a wide tree": lambda folder: [
        (folder / f"{n}/{n}/{n}").mkdir(parents=True) for n in range(99)
    ],
}


@pytest.mark.parametrize("fill", FILLINGS.values(), ids=FILLINGS)
def test_a_folder_is_measured_and_removed_whatever_it_holds(temporary, fill):
    precious = temporary / "precious"
    precious.write_text("precious")
    folder = Folder()
    fill(Path(folder.path))
    num_files, num_bytes = folder.size(1_000)
    assert num_files <= 1_001 and num_bytes < 10**8
    folder.remove()
    folder.remove()
    assert os.listdir(temporary) == ["precious"]
    assert precious.read_text() == "precious"


def test_what_nobody_can_look_into_counts_as_too_much(temporary):
    folder = Folder()
    nest(folder.path, 40, "d" * 250)
    assert folder.size(1_000)[0] == 1_001
    folder.remove()


@linux
def test_the_folder_of_a_judge_that_was_killed_is_swept(temporary):
    left, alive, fresh = (temporary / f"{PREFIX}{name}" for name in ("left", "alive", "fresh"))
    for folder in (left, alive, fresh):
        (folder / "in").mkdir(parents=True)
    for folder in (left, alive):
        os.utime(folder, (0, 0))
    import fcntl

    held = os.open(alive, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    Folder().remove()
    assert {path.name for path in temporary.iterdir()} == {alive.name, fresh.name}
    os.close(held)


# The watch


def test_an_answer_in_time_is_never_followed_by_an_end():
    ended = []
    for _ in range(3):
        with Watch(lambda: None, ended.append):
            pass
    over = threading.Event()

    def late():
        over.wait()  # the answer comes while the watch looks
        return BoxEnded("too late")

    with Watch(late, ended.append) as watch:
        time.sleep(0.15)
    over.set()
    watch._thread.join()
    assert ended == []


def test_an_answer_that_comes_while_the_box_is_ended_counts_as_late():
    ending, answered = threading.Event(), threading.Event()

    def end(why):
        ending.set()
        answered.wait()

    with pytest.raises(BoxEnded, match="too late"), Watch(lambda: BoxEnded("too late"), end):
        ending.wait()
        answered.set()


def test_a_fault_of_ours_while_watching_ends_the_box_and_is_raised():
    ended = threading.Event()
    with pytest.raises(ZeroDivisionError), Watch(lambda: 1 / 0, lambda why: ended.set()):
        assert ended.wait(30)


@linux
def test_the_cpu_clock_of_a_box_counts_less_than_a_tick():
    """With a limit on CPU seconds it would stand still between ticks of some milliseconds."""
    with Box() as box:
        box.submission.load("<cell>", "def step(): pass")
        seen = {box.submission.learner.step() or box.usage().cpu_s for _ in range(50)}
    assert len(seen) == 50


def test_usage_of_a_process_that_is_gone_is_unknown():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert usage_of(process.pid).cpu_s is None


# The end

JUDGE = """
import signal, sys, time
def stop(*_): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, stop)
from tests.grade.test_judge import TOY, ANSWER, grade, submission
print("ready", flush=True)
grade(TOY, submission(ANSWER + "def attack():\\n    while True: pass"))
"""


def end_of_a_judge(number, after_s, temporary):
    environment = {**os.environ, "TMPDIR": str(temporary)}
    judge = subprocess.Popen(
        [sys.executable, "-c", JUDGE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, start_new_session=True,
    )  # fmt: skip
    judge.stdout.readline()
    time.sleep(after_s)
    judge.send_signal(number)
    judge.wait()
    judge.stdout.close()
    until = time.monotonic() + 30
    while (left := processes(judge.pid)) and time.monotonic() < until:
        time.sleep(0.01)
    return left


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    "after_s", [0.3, *(pytest.param(n / 100, marks=pytest.mark.soak) for n in range(30))]
)
def test_a_judge_that_is_ended_leaves_no_box(tmp_path, number, after_s):
    assert end_of_a_judge(number, after_s, tmp_path) == set()
    if number != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []


# The wire


class Lying:
    """A box that sends what it likes."""

    def __init__(self, data):
        self._reader = io.BytesIO(data)

    def read(self, size):
        return self._reader.read(size)

    def write(self, data):
        return len(data)


def framed(*bodies):
    return b"".join(len(body).to_bytes(4, "little") + body for body in bodies)


@given(st.lists(st.binary(max_size=60) | st.builds(msgpack.packb, st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(["answer", "raised", "call", "get", "len"])
    | st.builds(msgpack.ExtType, st.integers(0, 5), st.binary(max_size=9)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 3), inner),
    max_leaves=9))), st.binary(max_size=5))  # fmt: skip
def test_the_judge_survives_whatever_it_is_sent(bodies, rest):
    lying = Lying(framed(*bodies) + rest)
    peer = Peer(lying, lying)
    questions = (lambda: peer.root.learner, lambda: len(peer.root), lambda: list(peer.root))
    for ask in questions:
        try:
            ask()
        except (BoxClosed, LearnerError):
            continue


def head(kind, number):
    return bytes([kind]) + number.to_bytes(4, "big")


def nested(depth):
    body = b"\xc0"
    for _ in range(depth):
        body = b"\xc9" + len(body + b"\x91").to_bytes(4, "big") + b"\x01\x91" + body
    return body


EQUAL = [b"\xcf" + (k * (2**61 - 1) + 7).to_bytes(8, "big") for k in range(8)]
LARGE = {
    "lists": head(0xDD, 3_900_000) + b"\x90" * 3_900_000,
    "dicts": head(0xDD, 3_900_000) + b"\x80" * 3_900_000,
    "numbers": b"\xc9" + (3_900_000).to_bytes(4, "big") + b"\x03" + b"f" * 3_900_000,
    "depth": b"\x91" * 1_000 + b"\xc0",
    "greater depth": b"\x91" * 3_900_000,
    "depth of tuples": nested(2_000),
    "keys of one hash": head(0xDF, 240_000) + b"".join(key + b"\xc0" for key in EQUAL) * 30_000,
    "keys that are numbers": head(0xDF, 257)
    + b"".join(b"\xcd%c%c\xc0" % (1, k) for k in range(256))
    + b"\1\1",
    "a set": b"\xc9"
    + (262).to_bytes(4, "big")
    + b"\x02\xdd"
    + (257).to_bytes(4, "big")
    + b"\xc0" * 257,
    "a length that is not there": head(0xDD, 2**32 - 1),
}


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE)
def test_what_is_too_large_is_refused_before_it_is_built(body):
    assert len(body) < MAX_ANSWER_BYTES
    lying = Lying(framed(body))
    wire = Wire(lying, lying, Peer(lying, lying), is_guarded=True)
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            wire.receive()
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_a_frame_that_is_too_long_is_the_end():
    lying = Lying((MAX_ANSWER_BYTES + 1).to_bytes(4, "little"))
    with pytest.raises(EOFError):
        Wire(lying, lying, None, is_guarded=True).receive()


def test_what_the_exercises_need_crosses():
    values = [
        *(None, True, -(2**64), 2**MAX_BITS - 1, 1.5, "é\ud800", b"\0", (1, (2, [3])), {1, (2, 3)}),
        {"a": {1: (2,)}, (1, 2): None},
        list(range(200_000)),
        {str(n): n for n in range(50_000)},
    ]
    with Box() as box:
        box.submission.load("<cell>", "def same(x): return x")
        for value in values:
            assert box.submission.learner.same(value) == value


def test_an_answer_that_was_not_asked_for_is_passed_over():
    with Box() as box:
        box.submission.load(
            "<cell>",
            "import gc\ndef ahead():\n"
            "    for wire in [o for o in gc.get_objects() if type(o).__name__ == 'Wire']:\n"
            "        for _ in range(9): wire.send(['answer', b'12345678', 'no'])\n"
            "def answer(): return 'yes'",
        )
        box.submission.learner.ahead()
        assert [box.submission.learner.answer() for _ in range(3)] == ["yes"] * 3


class Ours:
    """An object of the judge's that is handed to the learner's code."""

    def __init__(self):
        self.count = 0
        self.steps = (n for n in range(3))

    def again(self, function):
        return function(self, function)

    def one_more(self):
        return Ours()


CALLS = {
    "too deep": ("def act(ours): return ours.again(lambda o, f: o.again(f))", "RecursionError"),
    "too many objects": (
        "def act(ours):\n    held = []\n    for _ in range(30_000): held.append(ours.one_more())",
        "RuntimeError",
    ),
    "a frame": ("def act(ours): return ours.steps.gi_frame", "AttributeError"),
    "a class": ("def act(ours): ours._peer.ask('get', ours._number, '__init__')", "AttributeError"),
    "no such object": (
        "def act(ours):\n    ours._peer.ask('call', 999, None, [], {})", "KeyError",
    ),
    "no such verb": ("def act(ours): ours._peer.ask('eval', 0, '1')", "KeyError"),
    "no number": ("def act(ours): ours._peer.ask('len', [])", "TypeError"),
    "no name": ("def act(ours): ours._peer.ask('get', ours._number, 5)", "AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "error"), CALLS.values(), ids=CALLS)
def test_the_judges_objects_give_no_more_than_they_should(source, error):
    with Box() as box:
        box.submission.load("<cell>", source)
        with pytest.raises(LearnerError) as raised:
            box.submission.learner.act(Ours())
        assert raised.value.name == error
        box.submission.load("<cell>", "def act(): return 42")
        assert box.submission.learner.act() == 42
