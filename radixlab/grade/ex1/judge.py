"""Comparing the answers to a scenario with the oracle's: the first that is wrong, and why.

Answers are whatever the learner's process sent: nothing in them is believed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from radixlab.exercise.tree import Tokens
from radixlab.exercise.tree_player import COUNTED
from radixlab.grade.ex1.model import PrefixModel
from radixlab.grade.ex1.scenario import Operation, Scenario, key_of

CALLS = {"match": "match_prefix", "lock": "match_prefix", "keep": "insert", "again": "unlock"}
"""The method whose answer an operation is judged by, where it has another name."""
MATCHED = (("block_ids", "found"),)
INSERTED = (
    ("num_cached_blocks", "cached"),
    ("block_ids", "kept"),
    ("duplicate_block_ids", "duplicates"),
)
"""Fields of an answer, with what of a scenario they are judged under."""


class Wrong(Exception):
    """An answer is wrong: why, and what was expected and came, as text."""

    def __init__(self, why: str, expected: str | None = None, actual: str | None = None) -> None:
        super().__init__(why)
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True, slots=True)
class Fault:
    """The first wrong answer of a scenario."""

    number: int
    """Of its operation, from 0."""
    wrong: Wrong
    model: PrefixModel
    """The oracle after the operation."""
    in_walk: bool = False
    """Whether the operation's own answer was right, and `walk` showed what is wrong."""


def find_fault(scenario: Scenario, answers: Any) -> Fault | None:
    """Return the first wrong answer, None if all are right."""
    model = PrefixModel(scenario.block_size)
    answers = answers if isinstance(answers, list) else []
    for number, operation in enumerate(scenario.operations):
        answer = answers[number] if number < len(answers) else None
        in_walk = False
        try:
            _judge(scenario, model, operation, answer)
            in_walk = True
            if scenario.watched:
                _judge_walk(scenario, model, (answer or {}).get("walk"))
        except Wrong as wrong:
            return Fault(number, wrong, model, in_walk)
    return None


def _judge(scenario: Scenario, model: PrefixModel, operation: Operation, answer: Any) -> None:
    if not isinstance(answer, dict):
        raise Wrong("There is no answer.")
    right = _tell(model, operation, answer)
    if "raised" in answer:
        where = f" ({answer['where']})" if answer.get("where") else ""
        raise Wrong(f"{answer.get('call')} raised {answer['raised']}: {answer.get('said')}{where}.")
    if "returned" in answer:
        raise Wrong(
            f"{CALLS.get(operation[0], operation[0])} returned {answer['returned']}, which lacks "
            f"what the exercise text says it has."
        )
    for name, aspect in INSERTED if "num_cached_blocks" in right else MATCHED:
        if name in right and aspect in scenario.judged and answer.get(name) != right[name]:
            raise _differs(operation, name, right[name], answer.get(name))
    if operation[0] == "again" and answer.get("refused") is not True:
        raise Wrong("unlock took a receipt for the second time, and must raise.")
    if operation[0] == "stats":
        _judge_stats(model, answer)


def _tell(model: PrefixModel, operation: Operation, answer: Any) -> dict[str, Any]:
    """Let the model do the operation; return the fields of the right answer.

    Of all legal evictions it follows the one that the answer says.
    """
    tokens, block_ids = key_of(operation)
    right: dict[str, Any] = {}
    match operation:
        case ("match" | "lock", *_):
            right["block_ids"] = model.match(tokens)
        case ("insert" | "keep", *_):
            names = ("block_ids", "num_cached_blocks", "duplicate_block_ids")
            right.update(zip(names, model.insert(tokens, block_ids or ()), strict=True))
        case ("unlock", receipt):
            model.unlock(receipt)
        case ("evict", num_blocks):
            _evict(model, num_blocks, answer)
    if operation[0] in ("lock", "keep"):
        model.lock(operation[1], tokens)
    return right


def _evict(model: PrefixModel, num_blocks: int, answer: dict[str, Any]) -> None:
    gone, before, num_free = answer.get("block_ids"), dict(model.block_of), len(model.evictable())
    if not (isinstance(gone, list) and all(type(block) is int for block in gone)):
        why = "that is no list of block ids"
    else:
        why = model.evict(gone) or ""
        if not why and len(gone) != min(num_blocks, num_free):
            why = f"it must take {min(num_blocks, num_free)}, for {num_free} can go"
    if why and "raised" not in answer:
        model.block_of = before
        legal = model.evict_any(num_blocks)
        raise Wrong(
            f"evict({num_blocks}) returned {_clip(gone)}: {why}.", f"such as {legal}", _clip(gone)
        )


def _differs(operation: Operation, name: str, right: Any, said: Any) -> Wrong:
    call, (tokens, _) = CALLS.get(operation[0], operation[0]), key_of(operation)
    said, right = _clip(said), _clip(right)
    why = f"{call}({_shown(tokens)}) says {name} = {said}; it is {right}."
    return Wrong(why, f"{name} = {right}", f"{name} = {said}")


def _clip(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _shown(tokens: Tokens) -> str:
    return f"{tokens}" if len(tokens) <= 12 else f"({', '.join(map(str, tokens[:12]))}, …)"


def _judge_stats(model: PrefixModel, answer: dict[str, Any]) -> None:
    """Compare with the learner's own walk: a lock that is counted wrong costs another item."""
    nodes = list(_nodes(model.block_size, answer.get("walk")))
    blocks = [0, 0, 0]  # of nodes with two receipts or more, with one, with none
    for _, block_ids, lock_ref in nodes:
        blocks[2 - min(lock_ref, 2)] += len(block_ids)
    if sum(blocks) != len(model.block_of):
        raise Wrong(f"walk shows {sum(blocks)} blocks; {len(model.block_of)} were inserted.")
    used = blocks[0] + blocks[1]
    right = [len(nodes), *blocks, blocks[0] / used if used else 0.0]
    said = [answer.get(name) for name in COUNTED]
    for name, value, own in zip(COUNTED, right, said, strict=True):
        if own != value:
            raise Wrong(
                f"stats() says {name} = {own}; by what walk yields it is {value:g}.",
                f"{name} = {value:g}",
                f"{name} = {own}",
            )


def _judge_walk(scenario: Scenario, model: PrefixModel, rows: Any) -> None:
    refs = model.lock_refs()
    shown: dict[Tokens, tuple[int, int]] = {}
    for prefix, block_ids, lock_ref in _nodes(scenario.block_size, rows):
        end = len(prefix) - len(block_ids) * scenario.block_size
        for block in block_ids:
            end += scenario.block_size
            if prefix[:end] in shown:
                raise Wrong(f"walk shows the prefix {_shown(prefix[:end])} in two nodes.")
            shown[prefix[:end]] = block, lock_ref
    if "contents" in scenario.judged:
        _judge_contents(model, shown)
    if "locks" in scenario.judged:
        for prefix, (block, lock_ref) in shown.items():
            if lock_ref != refs[prefix]:
                raise Wrong(
                    f"The node of block {block} shows lock_ref {lock_ref}; receipts held at or "
                    f"below it: {refs[prefix]}.",
                    f"lock_ref {refs[prefix]} at block {block}",
                    f"lock_ref {lock_ref} at block {block}",
                )
        for prefix in refs.keys() - shown.keys():
            block = model.block_of[prefix]
            raise Wrong(f"Block {block} is locked, and walk does not show it where it belongs.")


def _judge_contents(model: PrefixModel, shown: dict[Tokens, tuple[int, int]]) -> None:
    for prefix, block in model.block_of.items():
        if prefix not in shown:
            raise Wrong(f"walk does not show block {block}, which holds {_shown(prefix)}.")
        if shown[prefix][0] != block:
            raise Wrong(
                f"walk shows block {shown[prefix][0]} for {_shown(prefix)}; it is block {block}."
            )
    for prefix in shown.keys() - model.block_of.keys():
        raise Wrong(f"walk shows block {shown[prefix][0]}, which should be gone.")


def _nodes(block_size: int, rows: Any) -> Iterator[tuple[Tokens, list[int], int]]:
    """Yield each node's prefix, blocks and lock_ref; raise `Wrong` for what is not a node."""
    prefix_of: dict[Any, Tokens] = {None: ()}
    for row in rows if isinstance(rows, list) else []:
        node, parent, tokens, block_ids, lock_ref = _row(row)
        if not block_ids or len(tokens) != len(block_ids) * block_size:
            raise Wrong(
                f"walk yields a node with tokens {_shown(tuple(tokens))} and block_ids "
                f"{_clip(block_ids)}: a node has one block or more, and each of them "
                f"{block_size} tokens.",
            )
        if node in prefix_of:
            raise Wrong("walk yields two nodes with the same id.")
        if parent not in prefix_of:
            raise Wrong("walk yields a node before its parent.")
        prefix_of[node] = prefix_of[parent] + tuple(tokens)
        yield prefix_of[node], block_ids, lock_ref


def _row(row: Any) -> Any:
    """Return a row of `walk` if it is made of numbers."""
    match row:
        case [int(), int() | None, list() as tokens, list() as block_ids, int()]:
            if all(type(number) is int for number in (*tokens, *block_ids)):
                return row
    raise Wrong(
        "walk yields something that is no NodeView(id, parent_id, tokens, block_ids, lock_ref) "
        "with whole numbers.",
    )
