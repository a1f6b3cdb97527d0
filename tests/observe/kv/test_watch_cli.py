"""`radixlab watch` in the terminal: one line per node, nothing of the stream's own escapes."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager

import pytest

pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

import zmq

from radixlab.cli.watch_files import Files
from radixlab.observe import fold_all, read_recording
from radixlab.observe.kv.subscriber import EventWatch
from radixlab.observe.kv.terminal import tree_lines
from radixlab.observe.kv_events import RemoteTree, Removed, Stored, encode, publish
from tests.observe.kv.test_outgoing import serve
from tests.observe.kv.test_publisher import HERE, settled
from tests.observe.lives import small_cache
from tests.test_cli import Run, run

__all__ = ["run"]


ONCE = ("--once", "--wait", "60")
"""Far longer than a loaded machine needs; what is there is not waited for."""


@pytest.fixture
def published():
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        serve(manager, [1, 2, 3, 4, 5, 6, 7])
        serve(manager, [1, 2, 9, 9, 9])
        serve(manager, [5, 6, 7], ("salt", "x"))
        settled(publisher)
        yield publisher


def test_it_prints_the_tree_that_a_replay_tells(run: Run, published) -> None:
    done = run("watch", published.endpoint, "--replay", published.replay_endpoint, *ONCE)
    first, *tree = done.out.splitlines()
    assert done.code == 0 and f"{published.endpoint}: {published.num_payloads:,} payloads" in first
    assert tree == [
        "1 block  1 2",
        "  2 blocks  3 4 5 6",
        "  1 block  9 9",
        "[salt x] 1 block  5 6",
    ]


def test_it_writes_a_recording(run: Run, published, tmp_path) -> None:
    path = tmp_path / "seen.jsonl"
    options = ("--replay", published.replay_endpoint, *ONCE, "--block-size", "2")
    assert run("watch", published.endpoint, *options, "--record", path).code == 0
    state = fold_all(*read_recording(path))
    assert sorted(len(node.block_ids) for node in state.nodes.values()) == [1, 1, 1, 2]


def test_it_says_that_nothing_arrives(run: Run) -> None:
    done = run("watch", "tcp://127.0.0.1:1", "--once", "--wait", "0")
    assert done.code == 0 and done.out.splitlines() == [
        "tcp://127.0.0.1:1: nothing has arrived",
        "tcp://127.0.0.1:1 does not answer yet",
    ]


def test_it_does_not_wait_for_a_replay_that_is_not_there(run: Run) -> None:
    options = ("--replay", "tcp://127.0.0.1:2", "--once", "--wait", "0.1")
    done = run("watch", "tcp://127.0.0.1:1", *options)
    assert done.code == 0 and done.out.endswith("does not answer yet\n")


def test_it_ends_after_its_time(run: Run) -> None:
    assert run("watch", "tcp://127.0.0.1:1", "--seconds", "0.1", "--wait", "0").code == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("nonsense",), "error: cannot reach 'nonsense'"),
        (("tcp://127.0.0.1:1", "--replay", "x"), "error: cannot reach 'x'"),
        (("tcp://127.0.0.1:1", "--num-blocks", "0"), "error: Invalid value for '--num-blocks'"),
        ((), "error: Missing argument 'ENDPOINT...'"),
    ],
)
def test_a_mistake_is_one_line(run: Run, args, says) -> None:
    done = run("watch", *args)
    assert done.code == 2 and done.err.startswith(says) and done.err.count("\n") == 1


def test_no_escape_sequence_reaches_the_terminal():
    tree = RemoteTree()
    keys = [["\x1b[2Jsalt\nnew line"]]
    tree.feed(encode(0, [Stored([1], None, [1, 2], 2, extra_keys=keys)]))
    (line,) = tree_lines(tree, decode=lambda token_ids: "\x1b]0;title\x07")
    assert line.isprintable() and "salt" in line


def test_a_large_tree_fits_the_screen():
    tree = RemoteTree()
    for number in range(50):
        tokens = [number] * 2 * (1 + number % 7)
        names = [(number, i).__hash__() for i in range(len(tokens) // 2)]
        tree.feed(encode(0, [Stored(names, None, tokens, 2)]))
    lines = tree_lines(tree, max_lines=10)
    assert len(lines) == 10 and lines[-1] == "… and 41 more nodes"
    assert all(line.startswith("7 blocks") for line in lines[:7])


def test_a_page_and_a_recording_of_a_stream_that_began_in_the_middle(run: Run, tmp_path) -> None:
    "no replay: orphans and a gap, which replay and player show"
    page, record, again = (tmp_path / name for name in ("run.html", "run.jsonl", "again.html"))
    with sending() as (endpoint, send):
        for number in (5, 6, 9):
            send(
                number,
                [Stored([number * 2], number + 99, [7, 8], 2), Stored([number], None, [1, 2], 2)],
            )
        files = ("--html", page, "--record", record, "--wait", "60", "--once")
        done = run("watch", endpoint, *files)
    assert done.code == 0 and "This picture may be wrong: " in done.out
    assert "[orphan of" in done.out and done.err.count("events") == 2
    state = fold_all(*read_recording(record))
    assert state.missing_payloads >= 5 and any(
        node.namespace and node.namespace[0] == "orphan of" for node in state.nodes.values()
    )
    assert "StreamReported" in page.read_text() or "missing_payloads" in page.read_text()
    done = run("replay", record, "--html", again)
    assert done.code == 0 and "events" in done.err and again.stat().st_size > 100_000
    assert not list(tmp_path.glob(".*"))


@contextmanager
def sending():
    """A publisher that sends what it is told, again and again, so that whoever comes late hears."""
    pub = zmq.Context.instance().socket(zmq.PUB)
    port, told, is_over = pub.bind_to_random_port("tcp://127.0.0.1"), [], threading.Event()

    def repeat():
        while not is_over.wait(0.05):
            for number, payload in told:
                pub.send_multipart([b"", number.to_bytes(8, "big"), payload])

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{port}", lambda n, events: told.append((n, encode(n, events)))
    finally:
        is_over.set()
        thread.join()
        pub.close(linger=0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_an_interrupt_leaves_a_clean_terminal_and_whole_files(number, tmp_path) -> None:
    "in a terminal of 80 × 24, which changes its size, with hostile names"
    page, record = tmp_path / "run.html", tmp_path / "run.jsonl"
    leader, follower = pty.openpty()
    resize(leader, 24, 80)
    hostile = [["\x1b[2J\x1b]0;owned\x07\u202e" + "名" * 200]]
    with sending() as (endpoint, send):
        for seq in range(1, 40):
            send(seq, [Stored([seq], None, [seq, 2], 2, extra_keys=hostile)])
        command = [sys.executable, "-m", "radixlab", "watch", endpoint]
        files = ["--html", str(page), "--record", str(record)]
        with subprocess.Popen(
            [*command, *files], stdin=follower, stdout=follower, stderr=follower,
            start_new_session=True, env=os.environ | {"TERM": "xterm-256color", "NO_COLOR": ""},
        ) as process:  # fmt: skip
            os.close(follower)
            screen = read_until(leader, b"more nodes")
            resize(leader, 10, 40)
            screen += read_until(leader, b"more nodes")
            process.send_signal(number)
            screen += read_until(leader, None)
            assert process.wait(60) == 0
    os.close(leader)
    shown, after = screen.rsplit(b"\x1b[?1049l", 1)
    assert b"\x1b[?1049h" in shown and b"\x1b[?25h" in shown + after  # the cursor is back
    assert b"\x1b[2J\x1b]0;" not in screen and b"owned\x07" not in screen
    assert b"39 payloads" in after and b"run.jsonl: " in after and b"run.html: " in after
    state = fold_all(*read_recording(record))
    assert len(state.nodes) == 39 and state.missing_payloads == 1
    assert page.read_text().endswith("</html>\n")


def resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def read_until(terminal: int, text: bytes | None) -> bytes:
    """Read what a program prints, up to this text or to its end."""
    seen, deadline = b"", time.monotonic() + 60
    while text is None or text not in seen:
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the program has ended
                return seen
            if not part:
                return seen
            seen += part
    return seen


def test_trees_share_the_lines_and_orphans_come_last():
    tree = RemoteTree()
    for rank, num in ((0, 50), (1, 2)):
        for number in range(num):
            tree.feed(encode(number, [Stored([number], None, [number, rank], 2)], rank), number)
    tree.feed(encode(50, [Stored([99], 98, [5, 5], 2)], 0), 50)
    lines = tree_lines(tree, max_lines=12)
    kinds = [line.partition("]")[0] for line in lines]
    assert kinds == ["[rank 0"] * 8 + ["[rank 1"] * 2 + [kinds[10], lines[11]]
    assert kinds[10].startswith("[rank 0, orphan of") and lines[11] == "… and 42 more nodes"


@pytest.mark.parametrize("num_trees", [1, 3, 12, 40])
@pytest.mark.parametrize("room", [1, 2, 5, 24])
def test_the_lines_always_fit_and_tell_how_many_are_left(num_trees, room):
    tree, total = RemoteTree(), 0
    for number in range(num_trees):
        for k in range(1 + number % 4):
            keys = [[f"tenant {number}"]]
            tree.feed(encode(0, [Stored([total], None, [k, 1], 2, extra_keys=keys)]))
            total += 1
    lines = tree_lines(tree, max_lines=room)
    assert len(lines) == min(total, max(room, 2)) or (room == 1 and len(lines) == 2)
    if total > room:
        assert lines[-1].startswith(f"… and {total - len(lines) + 1:,} more node")


def test_a_page_of_a_long_watch_keeps_the_newest_events(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("radixlab.cli.watch_files.PAGE_BYTES", 20_000)
    files = Files(None, tmp_path / "run.html", None)
    with EventWatch("tcp://127.0.0.1:1", num_blocks=16, block_size=2) as watch:
        files.begin(watch)
        for number in range(2000):
            event = Removed([number - 1]) if number % 2 else Stored([number], None, [number, 1], 2)
            watch.tree.feed(encode(number, [event]), number)
            if number % 50 == 0:
                files.tidy()
                assert files._log.num_bytes <= 20_000
        files.close(watch)
    assert "the log has forgotten those before" in capsys.readouterr().err
    assert files.html.read_text().endswith("</html>\n")
