import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from radixlab.cache import CacheConfig, KVCacheManager, OutOfBlocksError, RadixTree
from radixlab.observe import snapshot, watch
from radixlab.observe.state import NodeState, SequenceState, State
from radixlab.viz import render_dot, save_dot, save_png, still, summary, tree_dot
from radixlab.viz.block_map import draw_map, draw_sequence, grid_of
from radixlab.viz.facts import Standing, block_facts, counts
from radixlab.viz.text import ids_text

HOSTILE = ['"]; <script>', "a\\N\\G", "$\\frac{1}$", "</TD>&amp;", "\x00\x1b\u202e", "<", ">", ""]


def hostile(text: str) -> State:
    """Draw a state whose only token reads as `text`."""
    node = NodeState(0, None, (text, text), [0], [0])
    return State(2, 1, nodes={0: node}, sequences={0: SequenceState(0, None, [0], [0])})


def test_summary_is_exact(state: State) -> None:
    assert summary(state, chr) == "\n".join(
        [
            "CacheView: 4 nodes, 3 of 16 blocks in use, 3 evictable, hit rate 19.0 %",
            "This picture may be wrong: 3 payloads missing, 1,200 payloads lost, 1 message refused",
            '  node 2 "shar": blocks 0, 1 lock',
            '    node 1 "ed p": blocks 1',
            r'    node 3 "else\u0001\u0002\u0003\u0004": blocks 5, 8',
            r'  [salt x] node 9 "\u0007\u0007\u0007\u0007": blocks 9',
            "  sequence 1: 9 tokens, 4 found, block table 0, 5–6",
        ]
    )


def test_summary_without_decode_shows_ids() -> None:
    state = State(4, 2, nodes={5: NodeState(5, None, None, [10, 11], [3])})
    assert summary(state).splitlines()[1] == "  node 5 [10 11]: blocks 3"


def test_summary_says_how_many_nodes_it_leaves_out() -> None:
    state = State(300, 1, nodes={i: NodeState(i, None, None, [i], [i]) for i in range(300)})
    assert len(summary(state).splitlines()) == 202
    assert summary(state).endswith("… and 100 more nodes")


def test_the_summary_tells_the_tiers_apart() -> None:
    nodes = {
        1: NodeState(1, None, None, [1], [0]),
        2: NodeState(2, 1, None, [2], [0], resident=False),
    }
    state = State(4, 1, nodes, transfers=[(3, 1, "write_back")], num_host_blocks=5)
    lines = summary(state).splitlines()
    assert lines[0].endswith("1 of 4 blocks in use, 1 evictable, 2 of 5 on host, no requests yet")
    assert lines[2] == "    node 2 [2]: on host, blocks 0"
    assert still(state)[1:4] == b"PNG"


def test_counts_add_up_to_the_pool(state: State) -> None:
    c = counts(state)
    assert (c.num_free, c.num_evictable, c.num_in_use, c.num_private) == (10, 3, 3, 1)
    assert c.num_free + c.num_evictable + c.num_in_use == state.num_blocks


def test_every_standing_is_told_apart() -> None:
    nodes = {0: NodeState(0, None, None, [0, 0], [1, 2], 1), 1: NodeState(1, None, None, [1], [0])}
    tables = {0: SequenceState(0, None, [], [1, 2, 3]), 1: SequenceState(1, None, [], [1])}
    facts = block_facts(State(7, 1, nodes, tables, transfers=[(4, 5, "copy")]))
    names = "CACHED SHARED USED PRIVATE COPYING COPYING FREE"
    assert [s.name for s in facts.standing] == names.split()


def test_a_private_block_in_two_tables_is_drawn_as_shared_and_counts_as_private() -> None:
    tables = {i: SequenceState(i, None, [], [1, 2 + i]) for i in range(2)}
    state = State(5, 1, sequences=tables)
    assert block_facts(state).standing[1] == Standing.SHARED
    assert counts(state).num_private == 3


@pytest.mark.parametrize(
    ("lock_ref", "standing"), [(0, Standing.CACHED), (1, Standing.USED), (2, Standing.SHARED)]
)
def test_a_tree_alone_counts_receipts_as_stats_does(lock_ref: int, standing: Standing) -> None:
    tree = RadixTree(block_size=1)
    node = tree.insert([7], [0]).node
    for _ in range(lock_ref):
        tree.lock(node)
    nodes = {node.id: NodeState(node.id, None, None, [7], [0], lock_ref=lock_ref)}
    assert block_facts(State(2, 1, nodes)).standing == [standing, Standing.FREE]
    stats = tree.stats()
    counted = [stats.num_cached_blocks, stats.num_unique_blocks, stats.num_shared_blocks]
    assert counted.index(1) == min(lock_ref, 2)


def test_a_locked_block_in_no_table_is_in_use() -> None:
    state = State(2, 1, nodes={0: NodeState(0, None, None, [1], [0], lock_ref=1)})
    assert block_facts(state).standing == [Standing.USED, Standing.FREE]


def test_runs_of_ids() -> None:
    assert [ids_text(x) for x in ([], [3], [3, 4, 5, 9])] == ["none", "3", "3–5, 9"]


def test_still_is_a_png_as_wide_as_the_page(state: State) -> None:
    image = Image.open(BytesIO(still(state, chr)))
    assert (image.format, image.width) == ("PNG", 1728)


def test_the_page_shows_through_a_border_with_round_corners(state: State) -> None:
    image = Image.open(BytesIO(still(state, chr))).convert("RGBA")
    width, height = image.size
    assert [image.getpixel((x, y))[3] for x in (0, width - 1) for y in (0, height - 1)] == [0] * 4
    border, inside = image.getpixel((width // 2, 0)), image.getpixel((width // 2, 6))
    assert border[3] > 200 and inside[3] == 0


def drawn(draw: Callable[..., object]) -> list[str]:
    """Return the texts that a drawing writes."""
    axes = Figure().add_axes((0, 0, 1, 1))
    draw(axes)
    return [text.get_text() for text in axes.texts]


def test_a_fork_says_where_it_comes_from() -> None:
    s = SequenceState(2, None, [1, 2], [0])
    state = State(2, 2, sequences={2: s})
    box, facts = (0, 0, 800, 0), block_facts(state)

    def texts(parent: int | None) -> list[str]:
        return drawn(lambda axes: draw_sequence(axes, state, facts, s, chr, box, parent))

    assert "forked from sequence 1" in texts(1) and "0 of 2 found" not in texts(1)
    assert "0 of 2 found" in texts(None)


def test_a_copy_under_way_has_an_arrow() -> None:
    facts = block_facts(State(40, 1, transfers=[(0, 39, "copy"), (3, 4, "copy")]))
    axes = Figure().add_axes((0, 0, 1, 1))
    draw_map(axes, facts, grid_of(40, 400), 0, 0, [(0, 39), (3, 4)])
    assert len(axes.lines) == 4  # two arrows, each on paper


def test_the_stripe_of_a_node_has_the_colour_of_its_blocks() -> None:
    node = NodeState(0, None, None, [5], [0])  # not locked yet
    busy = State(2, 1, {0: node}, {0: SequenceState(0, None, [5], [0])})
    stripes = [re.findall(r'WIDTH="3".*?BGCOLOR="(#\w+)"', tree_dot(s).source) for s in
               (busy, State(2, 1, {0: node}))]  # fmt: skip
    assert stripes == [["#009E73"], ["#56B4E9"]]


def test_an_empty_cache_and_a_huge_one_can_be_drawn() -> None:
    assert still(State(1, 1)).startswith(b"\x89PNG")
    nodes = {i: NodeState(i, i - 1 if i else None, None, [i], [i]) for i in range(500)}
    assert still(State(100_000, 1, nodes)).startswith(b"\x89PNG")


def test_dot_says_how_many_nodes_it_leaves_out() -> None:
    state = State(9, 1, nodes={i: NodeState(i, None, None, [i], [i]) for i in range(9)})
    assert "and 6 more nodes" in tree_dot(state, max_nodes=3).source


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_tokens_stay_text(text: str) -> None:
    state = hostile(text)
    graph = tree_dot(state, lambda _: text)
    assert "<script" not in graph.source and "\\N" not in graph.source
    assert render_dot(graph).startswith(b"\x89PNG")
    assert still(state, lambda _: text).startswith(b"\x89PNG")


def test_escaped_labels_give_the_nodes_they_should() -> None:
    pygraphviz = pytest.importorskip("pygraphviz")
    source = tree_dot(hostile('"]; x [label="'), lambda _: '"]; x [label="').source
    assert len(pygraphviz.AGraph(string=source).nodes()) == 2  # the root and the node


def test_rendering_needs_no_system_graphviz(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygraphviz")
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert render_dot(tree_dot(state)).startswith(b"\x89PNG")


def test_rendering_prints_nothing(state: State, capfd: pytest.CaptureFixture[str]) -> None:
    still(state, chr)
    assert capfd.readouterr() == ("", "")


def test_pictures_go_to_files(state: State, tmp_path: Path) -> None:
    save_png(state, tmp_path / "a.png", chr)
    save_dot(state, tmp_path / "a.dot")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.dot").read_text("utf-8").startswith("digraph")


def test_a_picture_needs_neither_jupyter_nor_pyplot() -> None:
    code = (
        "import sys; from radixlab.viz import still; from radixlab.observe.state import State;"
        "not_loaded = {'anywidget', 'IPython', 'matplotlib.pyplot'};"
        "still(State(4, 4)); assert not not_loaded & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("seed", range(20))
def test_shared_and_unique_in_the_picture_are_those_of_the_statistics(seed: int) -> None:
    "One definition for a manager, by block tables, and for a tree alone, by receipts."
    draw, receipts = random.Random(seed), list[Any]()
    manager, tree = KVCacheManager(CacheConfig(40, 2)), RadixTree(block_size=2)
    watched, running, next_block = watch(tree, 2, 200), list[Any](), 0
    for _ in range(40):
        tokens = [draw.randrange(2) for _ in range(draw.randrange(2, 9))]
        with suppress(OutOfBlocksError):
            running.append(manager.allocate(tokens))
            manager.commit(running[-1], len(tokens))
            if draw.random() < 0.3:
                running.append(manager.fork(running[-1]))
        while running and draw.random() < 0.5:
            manager.release(running.pop(draw.randrange(len(running))))
        num = len(tokens) // 2
        node = watched.insert(tokens[: 2 * num], range(next_block, next_block + num)).node
        next_block += num
        receipts.append(watched.lock(node))
        if draw.random() < 0.5:
            watched.unlock(receipts.pop(draw.randrange(len(receipts))))
        for cache, stats in ((manager, manager.stats()), (watched, tree.stats())):
            state = snapshot(cache)
            standing = Counter(block_facts(state).standing)
            used = standing[Standing.USED] + standing[Standing.PRIVATE]
            assert standing[Standing.SHARED] == stats.num_shared_blocks
            assert used == stats.num_unique_blocks
            tables = {b for s in state.sequences.values() for b in s.block_table}
            in_tree = {b for n in state.nodes.values() for b in n.block_ids}
            assert counts(state).num_private == len(tables - in_tree)
