"""The other of two runs as a ghost: Python and the browser say the same at every position."""

import json
import random
import shutil
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.eviction import POLICIES
from radixlab.events import Event
from radixlab.observe.divergence import Run
from radixlab.observe.state import NodeState, SequenceState, State, copy_state, fold_all
from radixlab.observe.wire import event_to_json, state_to_json
from radixlab.viz import Tape, compare
from radixlab.viz.facts import Standing
from radixlab.viz.ghost import OTHER_TOKENS, Moment, ghost_kinds, ghost_line, tree_line
from tests.observe.pairs import served, tree_run
from tests.viz.test_js import engine_log, log_of_a_lost_ancestor

NODE = shutil.which("node")
TEST = Path(__file__).parent / "js" / "ghosts.mjs"


def ghost_pairs(by_hand: list[Event]) -> list[tuple[str, Run, Run]]:
    """Pairs of runs with every type of event: other policies, traffic, pools, block sizes."""
    engine = {
        (seed, hosts, policy): Run(
            policy, State(40, 2, num_host_blocks=hosts), engine_log(seed, hosts, policy)[0]
        )
        for seed, hosts, policy in [(0, 0, "lru"), (0, 0, "lfu"), (1, 6, "lru"), (2, 6, "mru")]
    }
    lru, lfu, hosted, other = engine.values()
    hand = Run("by hand", State(16, 4), by_hand)
    small = served("lru", 3)
    return [
        ("policies", lru, lfu),
        ("itself", lru, lru),
        ("hosts and other traffic", hosted, other),
        ("a host tier beside none", hosted, lru),
        ("by hand, and a part of it", hand, replace(hand, events=by_hand[:20])),
        ("another block size", hand, replace(small, start=replace(small.start, num_blocks=24))),
        ("another pool", lfu, replace(lru, start=replace(lru.start, num_blocks=99))),
        ("nothing at all", lru, replace(lru, events=[])),
        ("one block", Run("one", State(1, 2), []), Run("two", State(1, 2), [])),
        ("a lost ancestor", Run("lost", State(6, 2), log_of_a_lost_ancestor()), tree_run(1)),
        ("trees", tree_run(2), tree_run(3)),
    ]


def moment(name: str, run: Run, stop: int) -> Moment:
    return Moment(name, fold_all(copy_state(run.start), run.events[:stop]))


def said(mine: Moment, other: Moment) -> dict[str, Any]:
    alike = mine.state.block_size == other.state.block_size
    kinds = ghost_kinds(mine, other) if alike else []
    return {"line": ghost_line(mine, other), "tree": tree_line(mine, other), "kinds": kinds}


def as_json(kind: str, a: Run, b: Run, draw: random.Random) -> dict[str, Any]:
    moments = []
    for _ in range(12):
        at = [draw.randrange(len(run.events) + 1) for run in (a, b)]
        one, two = moment("a", a, at[0]), moment("b", b, at[1])
        moments.append({"at": at, "ab": said(one, two), "ba": said(two, one)})
    runs = {
        side: {"start": state_to_json(run.start), "events": [*map(event_to_json, run.events)]}
        for side, run in (("a", a), ("b", b))
    }
    return {"kind": kind, "moments": moments} | runs


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_the_browser_shows_what_python_says(events: list[Event], tmp_path: Path) -> None:
    draw = random.Random(17)
    path = tmp_path / "ghosts.json"
    path.write_text(json.dumps([as_json(*pair, draw) for pair in ghost_pairs(events)]), "utf-8")
    command = [NODE or "node", "--test", str(TEST)]
    done = subprocess.run(command, env={"GHOSTS": str(path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_block_differs_by_its_standing_or_by_its_tokens_in_their_namespace() -> None:
    def holding(tokens: list[int], namespace: Any = None) -> Moment:
        return Moment("m", State(4, 2, nodes={7: NodeState(7, None, namespace, tokens, [0, 1])}))

    mine = holding([1, 2, 3, 4])
    assert ghost_kinds(mine, holding([1, 2, 3, 4])) == [None] * 4
    assert ghost_kinds(mine, holding([1, 2, 3, 5])) == [None, OTHER_TOKENS, None, None]
    assert ghost_kinds(mine, holding([9, 2, 3, 4])) == [OTHER_TOKENS, OTHER_TOKENS, None, None]
    assert ghost_kinds(mine, holding([1, 2, 3, 4], ("salt", "x")))[:2] == [OTHER_TOKENS] * 2
    assert ghost_kinds(mine, Moment("b", State(3, 2))) == [Standing.FREE, Standing.FREE, None, None]
    run = State(4, 2, sequences={0: SequenceState(0, None, [1, 2, 3], [0, 3])}, num_requests=1)
    assert ghost_kinds(mine, Moment("b", run)) == [3, 0, None, 3]  # private, free, -, private


def test_lines_name_both_runs_and_what_cannot_be_compared() -> None:
    two, four, large = State(4, 2), State(4, 4), State(6, 2)
    assert ghost_line(Moment("a", two), Moment("b", four)) == (
        "b has blocks of 4 tokens, a of 2 tokens: their maps cannot be compared block by block"
    )
    assert ghost_line(Moment("a", two), Moment("b", large)).endswith(
        "4 blocks; it has 2 more blocks"
    )
    assert ghost_line(Moment("a", large), Moment("b", two)).endswith(
        "does not have the last 2 blocks"
    )


@pytest.mark.parametrize("blocks", [1, 12, 600, 5000])
def test_the_still_has_the_ghost_in_every_size_of_pool(blocks: int) -> None:
    def taped(name: str, prompt: list[int]) -> Tape:
        cache = KVCacheManager(CacheConfig(blocks, 2), policy=POLICIES["lru"]())
        tape = Tape(cache, name)
        sequence = cache.allocate(prompt[: 2 * blocks])
        cache.commit(sequence, sequence.num_tokens)
        return tape

    view = compare(taped("x" * 3000, [1, 2, 3, 4]), taped("b", [1, 2, 5, 6]))
    assert view.png[1:4] == b"PNG"
    assert max(map(len, view.text.splitlines())) < 300
    assert asdict(view.moments[0])["name"].startswith("xxx")
