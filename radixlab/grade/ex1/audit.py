"""Comparing the answers to a scenario with the oracle's: the first that is wrong, and why.

Answers are whatever the learner's process sent: nothing in them is believed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from itertools import count as natural
from typing import Any

from radixlab.escape import count
from radixlab.exercise.tree import Tokens
from radixlab.exercise.tree_player import COUNTED
from radixlab.grade.ex1.oracle import PrefixModel
from radixlab.grade.ex1.scenario import Operation, Scenario, key_of
from radixlab.grade.reading import as_finite, one_line, shown

CALLS = {"match": "match_prefix", "lock": "match_prefix", "keep": "insert", "again": "unlock"}
"""The method whose answer an operation is judged by, where it has another name."""
MAX_BLOCKS = 10_000
"""More than any scenario inserts."""
Answer = dict[str, Any]


class Wrong(Exception):
    """An answer is wrong: why, and what was expected and came, as text."""

    def __init__(self, why: str, expected: str | None = None, actual: str | None = None) -> None:
        super().__init__(why)
        self.expected = expected
        self.actual = actual


class _Unjudged(Exception):
    """From here on there is nothing to judge: another item judges what went wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first wrong answer of a scenario."""

    number: int
    """Of its operation, from 0."""
    wrong: Wrong
    model: PrefixModel
    """The oracle after the operation."""
    raised: str = ""
    """The exception's name, if the operation raised one."""
    in_walk: bool = False
    """Whether the operation's own answer was right, and `walk` showed what is wrong."""


def find_fault(scenario: Scenario, answers: Any) -> Fault | None:
    """Return the first wrong answer, None if all are right."""
    model, num_offered = PrefixModel(scenario.block_size), 0
    answers = chain(answers if isinstance(answers, list) else (), repeat(None))
    for number, operation, answer in zip(natural(), scenario.operations, answers, strict=False):
        num_offered += len(key_of(operation)[1] or ())
        in_walk = False
        try:
            _judge(scenario, model, operation, answer)
            in_walk = True
            if scenario.watched or operation == ("walk",):
                _judge_walk(scenario, model, answer.get("walk"), num_offered)
        except Wrong as wrong:
            raised = str(answer.get("raised", "")) if isinstance(answer, dict) else ""
            return Fault(number, wrong, model, raised, in_walk)
        except _Unjudged:
            return None
    return None


def _judge(scenario: Scenario, model: PrefixModel, operation: Operation, answer: Any) -> None:
    if not isinstance(answer, dict):
        raise Wrong("There is no answer.")
    verb, call = operation[0], CALLS.get(operation[0], operation[0])
    right = _tell(scenario, model, operation, answer)
    if "raised" in answer:
        if verb == "evict" and "evicted" not in scenario.judged:
            raise _Unjudged
        fields = ("call", "raised", "said", "where")
        method, name, said, where = (one_line(answer.get(field, "")) for field in fields)
        raise Wrong(f"{method} raised {name}: {said}{f' ({where})' if where else ''}.")
    if "returned" in answer:
        raise Wrong(
            f"{call} returned {one_line(answer['returned'])}, "
            f"which lacks a field that the exercise text says it has."
        )
    for aspect, field, value in right:
        if aspect in scenario.judged and answer.get(field) != value:
            came, should = shown(answer.get(field)), shown(value)
            why = f"{call}({_key(key_of(operation)[0])}): {field} is {came}; it should be {should}."
            raise Wrong(why, f"{field} = {should}", f"{field} = {came}")
    if verb == "again" and answer.get("refused") is not True:
        raise Wrong("unlock took a receipt for the second time; it must raise.")
    if verb == "stats":
        _judge_stats(scenario, model, answer)
    if "unchanged" in scenario.judged and answer.get("changed") is not None:
        raise _changed(answer["changed"])


def _tell(
    scenario: Scenario, model: PrefixModel, operation: Operation, answer: Answer
) -> list[tuple[str, str, Any]]:
    """Let the model do the operation; return what is judged, the field, and its right value.

    Of all legal evictions it follows the one that the answer says.
    """
    tokens, block_ids = key_of(operation)
    right: list[tuple[str, str, Any]] = []
    match operation:
        case ("match" | "lock", *_):
            right = [("found", "block_ids", model.match(tokens))]
        case ("insert" | "keep", *_):
            if not model.is_fair(tokens, block_ids or ()):
                raise _Unjudged  # the tree evicted other blocks than those offered again here
            kept, num_cached, duplicates = model.insert(tokens, block_ids or ())
            right = [
                ("cached", "num_cached_blocks", num_cached),
                ("kept", "block_ids", kept),
                ("duplicates", "duplicate_block_ids", duplicates),
            ]
        case ("unlock", receipt):
            model.unlock(receipt)
        case ("evict", num_blocks) if "raised" not in answer:
            _evict(scenario, model, num_blocks, answer.get("block_ids"))
    if operation[0] in ("lock", "keep"):
        model.lock(operation[1], tokens)
    return right


def _evict(scenario: Scenario, model: PrefixModel, num_blocks: int, gone: Any) -> None:
    if not (isinstance(gone, list) and all(type(block) is int for block in gone)):
        why: str | None = "that is not a list of block ids"
    else:
        why = model.why_not(gone, num_blocks)
    if why is None:
        model.evict(gone)
        return
    if "evicted" not in scenario.judged:
        raise _Unjudged
    legal = model.any_evictable(num_blocks)
    model.evict(legal)
    said = shown(gone)
    raise Wrong(f"evict({num_blocks}) returned {said}: {why}.", f"such as {shown(legal)}", said)


def _changed(changed: Any) -> Wrong:
    method, field, before, now = changed if type(changed) is list and len(changed) == 4 else "????"
    return Wrong(
        f"What {one_line(method)} returned changed later: its {one_line(field)} was "
        f"{shown(before)} and is now {shown(now)}. Return a copy.",
        shown(before),
        shown(now),
    )


def _key(tokens: Tokens) -> str:
    return f"{tokens}" if len(tokens) <= 12 else f"({', '.join(map(str, tokens[:12]))}, …)"


def _blocks(number: int) -> str:
    return f"{number} block{'s' * (number != 1)}"


def _judge_stats(scenario: Scenario, model: PrefixModel, answer: Answer) -> None:
    """Compare with the learner's own walk: a lock that is counted wrong costs another item."""
    nodes = list(_nodes(model, answer.get("walk"), MAX_BLOCKS))
    blocks = [0, 0, 0]  # of nodes with two receipts or more, with one, with none
    for *_, block_ids, lock_ref in nodes:
        if lock_ref < 0 and not model.num_unlocked:
            raise Wrong(f"walk shows lock_ref {lock_ref}; no receipt was given back yet.")
        if lock_ref < 0 and "locks" not in scenario.judged:
            raise _Unjudged
        blocks[2 - min(max(lock_ref, 0), 2)] += len(block_ids)
    num_walked, num_held = sum(blocks), len(model.block_of)
    if num_walked != num_held:
        if "counted" not in scenario.judged:
            raise _Unjudged
        raise Wrong(f"walk shows {_blocks(num_walked)}; the tree holds {_blocks(num_held)}.")
    used = blocks[0] + blocks[1]
    right = [len(nodes), *blocks, blocks[0] / used if used else 0.0]
    for name, value in zip(COUNTED, right, strict=True):
        number, said = as_finite(answer.get(name)), shown(answer.get(name))
        if number is None or abs(number - value) > 1e-6:
            why = f"stats().{name} is {said}; by what walk yields it should be {value:g}."
            raise Wrong(why, f"{name} = {value:g}", f"{name} = {said}")


def _judge_walk(scenario: Scenario, model: PrefixModel, rows: Any, num_offered: int) -> None:
    found: dict[int, tuple[int, int]] = {}
    for prefixes, block_ids, lock_ref in model.follow(_nodes(model, rows, num_offered)):
        for prefix, block in zip(prefixes, block_ids, strict=True):
            if prefix in found:
                raise Wrong(f"walk shows the prefix {_key(model.tokens(prefix))} in two nodes.")
            found[prefix] = block, lock_ref
    if "contents" in scenario.judged:
        _judge_contents(model, found)
    if "locks" in scenario.judged:
        _judge_locks(model, found)


def _judge_contents(model: PrefixModel, found: dict[int, tuple[int, int]]) -> None:
    for prefix, block in model.block_of.items():
        tokens = _key(model.tokens(prefix))
        if prefix not in found:
            raise Wrong(f"walk does not show block {block}, which holds {tokens}.")
        if found[prefix][0] != block:
            raise Wrong(f"walk shows block {found[prefix][0]} for {tokens}; it is block {block}.")
    for prefix in found.keys() - model.block_of.keys():
        raise Wrong(f"walk shows block {found[prefix][0]}, which should be gone.")


def _judge_locks(model: PrefixModel, found: dict[int, tuple[int, int]]) -> None:
    for prefix, (block, said) in found.items():
        right = model.lock_refs[prefix]
        if said != right:
            held = count(right, "receipt is", "receipts are")
            why = f"shows lock_ref {said}; {held} held at or below it."
            expected, actual = (f"lock_ref {number} at block {block}" for number in (right, said))
            raise Wrong(f"The node of block {block} {why}", expected, actual)
    for prefix, num_receipts in model.lock_refs.items():
        if num_receipts and prefix not in found:
            block = model.block_of[prefix]
            raise Wrong(f"Block {block} is locked, and walk does not show it where it belongs.")


def _nodes(model: PrefixModel, rows: Any, most_blocks: int) -> Iterator[list[Any]]:
    """Yield the rows of `walk`; raise `Wrong` for what is not a node."""
    known: set[int | None] = {None}
    num_blocks = 0
    for row in rows if isinstance(rows, list) else []:
        node, parent, tokens, block_ids, _ = _row(row)
        if not block_ids or len(tokens) != len(block_ids) * model.block_size:
            raise Wrong(
                f"walk yields a node with tokens {_key(tuple(tokens))} and block_ids "
                f"{shown(block_ids)}: a node has one block or more, and each of them "
                f"{model.block_size} tokens.",
            )
        num_blocks += len(block_ids)
        if num_blocks > most_blocks:
            raise Wrong(f"walk shows more than the {_blocks(most_blocks)} that were inserted.")
        if node in known:
            raise Wrong("walk yields two nodes with the same id.")
        if parent not in known:
            raise Wrong("walk yields a node before its parent.")
        known.add(node)
        yield row


def _row(row: Any) -> Any:
    """Return a row of `walk` if it is made of numbers."""
    match row:
        case [int(), int() | None, list() as tokens, list() as block_ids, int()]:
            if all(type(number) is int for number in (*tokens, *block_ids)):
                return row
    raise Wrong(
        f"walk yields {shown(row[2:] if isinstance(row, list) else row)} for tokens, block_ids and "
        f"lock_ref: these must be whole numbers, and lists of them.",
    )
