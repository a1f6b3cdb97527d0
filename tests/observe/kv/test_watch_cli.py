"""`radixlab watch` in the terminal: one line per node, nothing of the stream's own escapes."""

import pytest

pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

from radixlab.observe import fold_all, read_recording
from radixlab.observe.kv.terminal import tree_lines
from radixlab.observe.kv_events import RemoteTree, Stored, encode, publish
from tests.observe.kv.test_outgoing import serve
from tests.observe.kv.test_publisher import HERE, settled
from tests.observe.lives import small_cache
from tests.test_cli import Run, run

__all__ = ["run"]


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
    done = run("watch", published.endpoint, "--replay", published.replay_endpoint, "--once")
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
    options = ("--replay", published.replay_endpoint, "--once", "--block-size", "2")
    assert run("watch", published.endpoint, *options, "--record", path).code == 0
    state = fold_all(*read_recording(path))
    assert sorted(len(node.block_ids) for node in state.nodes.values()) == [1, 1, 1, 2]


def test_it_says_that_nothing_arrives(run: Run) -> None:
    done = run("watch", "tcp://127.0.0.1:1", "--once", "--wait", "0")
    assert (done.code, done.out) == (0, "tcp://127.0.0.1:1: nothing has arrived\n")


def test_it_ends_after_its_time(run: Run) -> None:
    assert run("watch", "tcp://127.0.0.1:1", "--seconds", "0.1", "--wait", "0").code == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("nonsense",), "error: cannot reach 'nonsense'"),
        (("tcp://127.0.0.1:1", "--replay", "x"), "error: cannot reach 'x'"),
        (("tcp://127.0.0.1:1", "--num-blocks", "0"), "error: Invalid value for '--num-blocks'"),
        ((), "error: Missing argument 'ENDPOINT'"),
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
