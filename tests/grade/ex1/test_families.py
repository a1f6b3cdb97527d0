"""Families of 8.5.1: keys that are too weak, ids and refusals of any kind, answers without end."""

import zlib
from array import array
from dataclasses import dataclass
from functools import reduce
from itertools import count, repeat
from operator import add, mul, xor

import numpy as np
import pytest

from radixlab.exercise.tree import NodeView
from radixlab.exercise.tree_player import node_rows, play
from radixlab.grade.ex1 import traffic
from radixlab.grade.ex1.audit import find_fault
from radixlab.grade.ex1.oracle import PrefixModel
from radixlab.grade.ex1.scenario import EVERYTHING, Scenario, key_of
from radixlab.grade.ex1.twins import LEAST, MOST, look_alikes, twins_by
from radixlab.grade.ex1.work import Drawn, Scene, _require_few_counts, _seconds
from radixlab.grade.items import Failed, Trial
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.1"]
FAMILIES = [
    getattr(traffic, f"{name}_scenarios")
    for name in ("match", "split", "children", "reinsert", "lock", "evict", "stats", "machine")
]


def words(block):
    return array("q", block).tobytes()


WEAK_KEYS = {
    "hash": hash,
    "first token": lambda block: block[0],
    "last token": lambda block: block[-1],
    "first eight": lambda block: block[:8],
    "last eight": lambda block: block[-8:],
    "even positions": lambda block: block[::2],
    "odd positions": lambda block: block[1::2],
    "all but one": lambda block: (*block[:1], *block[2:]),
    "xor": lambda block: reduce(xor, block),
    "sum": sum,
    "product": lambda block: reduce(mul, block),
    "sorted": lambda block: tuple(sorted(block)),
    "set": frozenset,
    "minimum and maximum": lambda block: (min(block), max(block)),
    "text": lambda block: "".join(map(str, block)),
    "8 bits": lambda block: bytes(token & 0xFF for token in block),
    "16 bits": lambda block: tuple(token & 0xFFFF for token in block),
    "24 bits": lambda block: tuple(token & 0xFFFFFF for token in block),
    "32 bits": lambda block: tuple(token & 0xFFFFFFFF for token in block),
    "signed 32 bits": lambda block: tuple(np.array(block).astype(np.int32).tolist()),
    "48 bits": lambda block: tuple(token % 2**48 for token in block),
    "63 bits": lambda block: tuple(token % 2**63 for token in block),
    "high bits": lambda block: tuple(token >> 8 for token in block),
    "doubles": lambda block: tuple(map(float, block)),
    "singles": lambda block: tuple(np.array(block, np.float32).tolist()),
    "sizes": lambda block: tuple(map(abs, block)),
    "hashes": lambda block: tuple(map(hash, block)),
    "truth": lambda block: tuple(map(bool, block)),
    "crc32": lambda block: zlib.crc32(words(block)),
    "adler32": lambda block: zlib.adler32(words(block)),
    "java": lambda block: reduce(lambda h, t: (31 * h + t) & 0xFFFFFFFF, block, 7),
    "bernstein": lambda block: reduce(lambda h, t: (33 * h + t) & 0xFFFFFFFF, block, 5381),
    "vocabulary": lambda block: reduce(lambda h, t: 50_257 * h + t, block),
    "reversed vocabulary": lambda block: reduce(lambda h, t: 128_256 * h + t, block[::-1]),
    "modulo a prime": lambda block: tuple(token % (10**9 + 7) for token in block),
    "modulo a Mersenne prime": lambda block: tuple(token % (2**61 - 1) for token in block),
    "sum and length": lambda block: (reduce(add, block), len(block)),
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", WEAK_KEYS)
def test_some_blocks_look_alike_to_any_weak_key(name, seed):
    rng, key = np.random.default_rng(seed), WEAK_KEYS[name]
    drawn = [look_alikes(rng, size) for size in (2, 4, 16)]
    drawn.append(twins_by((50_257, 128_256), rng, 4))  # as they stand in such a key's code
    assert any(len({*map(key, blocks)}) < len(blocks) for blocks in drawn)


@pytest.mark.parametrize("size", traffic.BLOCK_SIZES)
def test_blocks_that_look_alike_differ_and_fit_into_64_bits(size):
    blocks = look_alikes(np.random.default_rng(size), size)
    assert len({*blocks}) == len(blocks) > 100
    assert {len(block) for block in blocks} == {size}
    assert all(LEAST <= token <= MOST for block in blocks for token in block)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f is not traffic.children_scenarios])
def test_callers_keep_their_promises_about_block_ids(family):
    make_tree = ZOO.loaded(ZOO.master).RadixTree
    for scenario in family(np.random.default_rng(5)):
        model = PrefixModel(scenario.block_size)
        operations = [list(operation) for operation in scenario.operations]
        answers = play(make_tree, scenario.block_size, operations)
        for operation, answer in zip(scenario.operations, answers, strict=True):
            tokens, block_ids = key_of(operation)
            if block_ids is not None:
                assert model.is_fair(tokens, block_ids)
                model.insert(tokens, block_ids)
            elif operation[0] == "evict":
                model.evict(answer["block_ids"])


@dataclass(frozen=True)
class Place:
    number: int


@dataclass
class Unhashable:
    number: int


class Twin:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


nodes = [Unhashable(7) for _ in range(4)]
twins = [Twin(n) for n in range(4)]
IDS = {
    "numbers": lambda n: n,
    "numpy": np.int64,
    "numpy scalars of another size": lambda n: np.uint8(n),
    "text": str,
    "bytes": lambda n: bytes([n, 1]),
    "arrays": np.array,
    "tuples": lambda n: (n, (n,)),
    "lists": lambda n: [n],
    "sets": lambda n: {n},
    "dictionaries": lambda n: {"n": n},
    "frozen dataclasses": Place,
    "dataclasses": Unhashable,
    "reals": lambda n: n / 3,
    "nodes that are equal and cannot be hashed": nodes.__getitem__,
    "nodes that equal anything": twins.__getitem__,
    "objects": {n: object() for n in range(4)}.get,
}


@pytest.mark.parametrize("root", [False, True], ids=["None", "its own id"])
@pytest.mark.parametrize("kind", IDS)
def test_ids_of_any_kind_tell_nodes_apart(kind, root):
    make_id = IDS[kind]

    class Tree:
        def walk(self):
            above = make_id(3) if root else None
            yield NodeView(make_id(0), above, (1,), (4,), 0)
            yield NodeView(make_id(1), make_id(0), (2,), (5,), 0)
            yield NodeView(make_id(2), make_id(1), (3,), (6,), 0)

    assert [row[:2] for row in node_rows(Tree())] == [[0, None], [1, 0], [2, 1]]


@pytest.mark.parametrize(
    "error",
    [
        ValueError,
        BaseException,
        SystemExit,
        KeyboardInterrupt,
        GeneratorExit,
        StopIteration,
        NotImplementedError,
        RecursionError,
        type("Mine", (BaseException,), {}),
        type("Exit", (SystemExit,), {}),
    ],
)
def test_a_used_receipt_may_be_refused_by_any_exception(error):
    class Tree(ZOO.loaded(ZOO.master).RadixTree):
        def unlock(self, receipt):
            if not receipt:
                raise error
            super().unlock(receipt)

    operations = [("lock", 0, ()), ("unlock", 0), ("again", 0)]
    scenario = Scenario(2, tuple(operations), EVERYTHING)
    assert find_fault(scenario, play(Tree, 2, operations, watched=True)) is None


def endless(tokens, block_ids):
    return (NodeView(n, n - 1 if n else None, tokens(n), block_ids(n), 0) for n in count())


WALKS = {
    "nodes": lambda: endless(lambda n: (n, n), lambda n: (n,)),
    "nodes without blocks": lambda: endless(lambda n: (), lambda n: ()),
    "the same node": lambda: repeat(NodeView(0, None, (1, 2), (0,), 0)),
    "tokens": lambda: endless(lambda n: count(), lambda n: (n,)),
    "block ids": lambda: endless(lambda n: (n, n), lambda n: repeat(n)),
    "both": lambda: endless(lambda n: count(), lambda n: count()),
    "digits": lambda: [NodeView(0, None, (10**9_999, 1), (0,), 0)],
    "nothing": lambda: iter(()),
    "no numbers": lambda: [NodeView(0, None, ("a", "b"), (None,), "0")],
    "a number for a list": lambda: [NodeView(0, None, 1, 0, 0)],
}


@pytest.mark.parametrize("kind", WALKS)
def test_a_walk_without_end_is_cut_and_wrong(kind):
    class Tree(ZOO.loaded(ZOO.master).RadixTree):
        def walk(self):
            return WALKS[kind]()

    operations = [("insert", (1, 2, 3, 4), (0, 1)), ("stats",)]
    answers = play(Tree, 2, operations, watched=True)
    rows = answers[0]["walk"]
    assert len(rows) <= 3
    assert sum(len(tokens) + len(block_ids) for _, _, tokens, block_ids, _ in rows) <= 200
    assert find_fault(Scenario(2, tuple(operations), EVERYTHING), answers).number == 0


def test_a_prefix_costs_the_oracle_its_last_block():
    model, key = PrefixModel(64), tuple(range(64 * 400))
    model.insert(key, range(400))
    assert sum(map(len, model.last_block)) == len(key)
    assert model.tokens(400) == key


@pytest.mark.parametrize("answers", [None, 7, "x", {}, [], [None], [{}], [{"walk": 3}], [[1]] * 9])
@pytest.mark.parametrize("family", FAMILIES)
def test_answers_of_any_form_are_wrong_and_no_more(family, answers):
    for scenario, _ in zip(family(np.random.default_rng(0)), range(5), strict=False):
        scenario = Scenario(scenario.block_size, scenario.operations, EVERYTHING)
        assert find_fault(scenario, answers) is not None


ODD = [None, 5, "x", [], {}, {"work": 0}, {"work": float("nan"), "found": []}, {"work": "0"}]
ODD += [{"work": 0, "found": [[0]] * 9_999, "tree": 5}, {"work": -1}, {"found": 3, "tree": "x"}]


@pytest.mark.parametrize("where", ["count_work", "run_work"])
@pytest.mark.parametrize("answer", ODD, ids=range(len(ODD)))
def test_odd_measurements_lose_the_item_and_break_nothing(answer, where):
    """What comes back is no tree, no number, no list: all of it is an answer that is wrong."""
    scene = Scene("a scene", 4, 1, lambda rng, part: ([[1, 2, 3, 4]], [[1, 2, 3, 4]]), "")
    trial = Trial(ZOO.loaded(ZOO.master), 0, caller=lambda *_: answer)
    drawn = Drawn(scene, np.random.default_rng(0), 1)
    if where == "count_work":
        with pytest.raises(Failed):
            _require_few_counts(trial, scene, drawn)
    elif isinstance(answer, dict) and answer.get("tree"):
        with pytest.raises(Failed):
            _seconds(trial, scene, drawn, 1, 1.0)
    else:
        assert _seconds(trial, scene, drawn, 1, most_s=7.0) >= 7


def test_the_call_that_broke_the_tree_is_shown_and_not_a_later_one():
    failure = ZOO.failure(ZOO.wrong["keeps_what_it_evicts"], "evict")
    assert failure.scenario.splitlines()[-2:] == ["tree.evict(1)", "list(tree.walk())"]


@pytest.mark.parametrize("name", ["returns_its_own_list", "returns_the_same_list"])
def test_a_list_that_changes_after_it_was_returned_is_told_of(name):
    assert "changed later" in str(ZOO.failure(ZOO.wrong[name], "machine"))
