"""Rules about an event, given the state before it: what it may not do.

A node that is gone cannot be asked how it went, so evicting what is locked, freeing what is read
and handing out what is held are told by the event itself. Each function yields `Claim`s. A claim is
confirmed when its operation is over, if it still holds then (`lamp.py`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from radixlab import events as ev
from radixlab.escape import count
from radixlab.events import Event
from radixlab.observe.holders import Holders
from radixlab.observe.standing_rules import is_bare
from radixlab.observe.state import expand
from radixlab.observe.watch import LOST


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule that an event seems to break, what is wrong, and whether it still is."""

    rule: str
    what: str
    holds: Callable[[], bool] = _always

    def says(self) -> str | None:
        """Return what is wrong if it still is."""
        return self.what if self.holds() else None


Claims = Iterator[Claim]


@dataclass(slots=True)
class Operation:
    """What the events of the current operation left open."""

    changed: bool = False
    """Whether it stored or removed blocks."""
    owed: tuple[int, ...] = ()
    """Private blocks of a finished sequence that nobody has freed yet."""


LOST_IN = {"match_prefix": "M5", "peek": "M4", "insert": "M9"}
"""The rule that a call of a tree alone breaks by losing blocks; for other calls it is E1."""


def claims(holders: Holders, operation: Operation, event: Event) -> Claims:
    """Yield what an event seems to break; call it before the event is folded."""
    rule = _RULES.get(type(event).__name__)
    return iter(()) if rule is None else rule(holders, operation, event)


def _first(ids: list[int] | None, besides: int | None = None) -> int | None:
    """Return the holder with the lowest id, or None; `besides` does not count."""
    return min((id for id in ids or () if id != besides), default=None)


def _under_way(holders: Holders, block: int) -> str | None:
    """Return the kind of the pending transfer that has this device block as an end."""
    for src, dst, kind in holders.state.transfers:
        on_device = {"write_back": (src,), "load_back": (dst,)}.get(kind, (src, dst))
        if block in on_device:
            return kind
    return None


def _allocated(holders: Holders, _: Operation, e: ev.BlocksAllocated) -> Claims:
    for block in expand(e.block_runs):
        given = f"block {block} was given to sequence {e.sequence_id}"
        if (node := _first(holders.on_device.get(block))) is not None:
            yield Claim("E6", f"{given}, but node {node} still has it")
        elif (other := _first(holders.tables.get(block))) is not None:
            yield Claim("L10", f"{given}, but sequence {other} still has it")


def _freed(holders: Holders, operation: Operation, e: ev.BlocksFreed) -> Claims:
    freed = expand(e.block_runs)
    for block in freed:
        said = f"block {block} of sequence {e.sequence_id} was freed"
        if (node := _first(holders.on_device.get(block))) is not None:
            yield Claim("L8", f"{said}, but node {node} still has it")
        elif (other := _first(holders.tables.get(block))) is not None:
            yield Claim("C6", f"{said}, but sequence {other} still has it")
        elif (kind := _under_way(holders, block)) is not None:
            rule = "C7" if kind == "copy" else "H2"
            yield Claim(rule, f"{said} before its {kind.replace('_', '-')} was done")
    gone = set(freed)
    operation.owed = tuple(block for block in operation.owed if block not in gone)


def _is_owed(operation: Operation, block: int) -> bool:
    return block in operation.owed


def _is_missing(holders: Holders, block: int) -> bool:
    return block not in holders.on_device


def _finished(holders: Holders, operation: Operation, e: ev.RequestFinished) -> Claims:
    """Expect every block that only this sequence had to be freed now, or nobody ever will."""
    sequence = holders.state.sequences.get(e.sequence_id)
    private = [
        block
        for block in ([] if sequence is None else sequence.block_table)
        if block not in holders.on_device
        and _first(holders.tables.get(block), besides=e.sequence_id) is None
        and _under_way(holders, block) is None
    ]
    operation.owed = tuple(private)
    for block in private:
        yield Claim(
            "L9",
            f"block {block} has leaked: sequence {e.sequence_id} finished without freeing it",
            partial(_is_owed, operation, block),
        )


def _appended(holders: Holders, _: Operation, e: ev.TokensAppended) -> Claims:
    """Expect a copy, at once, of a block that is written and that others have."""
    sequence = holders.state.sequences.get(e.sequence_id)
    if sequence is None or not e.token_ids:
        return
    size = holders.state.block_size
    last = (e.start + len(e.token_ids) - 1) // size
    for index in range(e.start // size, min(last + 1, len(sequence.block_table))):
        block = sequence.block_table[index]
        node = _first(holders.on_device.get(block))
        other = _first(holders.tables.get(block), besides=e.sequence_id)
        wrote = f"sequence {e.sequence_id} wrote to block {block}"

        def holds(index: int = index, block: int = block) -> bool:
            now = holders.state.sequences.get(e.sequence_id)
            return now is not None and now.block_table[index : index + 1] == [block]

        if node is not None:
            yield Claim("C4", f"{wrote}, which node {node} has", holds)
        elif other is not None:
            yield Claim("C2", f"{wrote}, which sequence {other} reads", holds)


def _matched(holders: Holders, _: Operation, e: ev.PrefixMatched) -> Claims:
    if e.hit_tokens >= e.num_tokens:
        found = f"all {count(e.num_tokens, 'token')} of sequence {e.sequence_id} were found"
        yield Claim("M1", f"{found}: none is left to compute")


def _removed(holders: Holders, operation: Operation, e: ev.BlockRemoved | ev.WrittenBack) -> Claims:
    """Only unlocked leaves that nobody reads are evicted."""
    state, node = holders.state, holders.state.nodes.get(e.node_id)
    if node is None:
        return
    gone = expand(e.block_runs)
    operation.changed = True

    def is_lost() -> bool:  # a tree of somebody's own may give its blocks to a new node
        return not bare or any(_is_missing(holders, block) for block in gone)

    bare = is_bare(state)
    if node.lock_ref > 0:
        had = count(node.lock_ref, "lock")
        yield Claim("L4", f"node {node.id} was evicted, but it had {had}", is_lost)
    for block in gone if node.resident else []:
        if (reader := _first(holders.tables.get(block))) is not None:
            yield Claim("L4", f"block {block} was evicted, but sequence {reader} reads it")
            break
    to_host = isinstance(e, ev.WrittenBack)
    below = holders.children.get(node.id, [])
    left = _first([id for id in below if state.nodes[id].resident or not to_host])
    if left is not None:
        what = f"node {node.id} was evicted, but node {left} is below it"
        yield Claim("E1", what, lambda: is_lost() and left in state.nodes)
    call = e.reason.removeprefix(LOST)
    if call != e.reason:
        what = f"node {node.id} lost blocks in a call of {call}, which does not evict"
        yield Claim(LOST_IN.get(call, "E1"), what, is_lost)


def _stored(_holders: Holders, operation: Operation, _event: ev.BlockStored) -> Claims:
    operation.changed = True
    return iter(())


def _deduplicated(holders: Holders, _: Operation, e: ev.BlocksDeduplicated) -> Claims:
    missing = next((block for block in expand(e.kept_runs) if _is_missing(holders, block)), None)
    if missing is not None:
        to = f"sequence {e.sequence_id} was re-pointed to block {missing}, which no node has"
        yield Claim("M10", to, partial(_is_missing, holders, missing))


def _cleared(holders: Holders, _: Operation, _event: ev.AllBlocksCleared) -> Claims:
    if holders.state.sequences:
        running = count(len(holders.state.sequences), "sequence")
        yield Claim("L11", f"the cache was reset while {running} ran")


def _resynced(holders: Holders, operation: Operation, e: ev.TreeResynced) -> Claims:
    """Blocks of tokens that stay may not be replaced; ids of nodes may change."""
    if operation.changed:
        return  # the nodes are between two states
    known: dict[tuple[int, tuple[int, ...]], int] = {}
    size = holders.state.block_size
    rows = [(n.id, n.parent_id, n.tokens, n.block_ids) for n in holders.state.nodes.values()]
    before = _by_prefix(rows, size, known)
    now = _by_prefix([(row[0], row[1], row[3], row[4]) for row in e.nodes], size, known)
    for prefix, (block, node) in before.items():
        other, _ = now.get(prefix, (block, node))
        if other != block:
            yield Claim("M9", f"block {block} of node {node} was replaced by block {other}")
            return


def _part_broke(_holders: Holders, _: Operation, e: ev.PartBroke) -> Claims:
    """Blame the part: whoever asked it has compared its answer with the books."""
    yield Claim(e.rule, f"{e.call}: {e.what}")


def _by_prefix(
    rows: Iterable[tuple[int, int | None, Any, Any]],
    size: int,
    known: dict[tuple[int, tuple[int, ...]], int],
) -> dict[int, tuple[int, int]]:
    """Map the number of each prefix to its block and node; `known` numbers the prefixes.

    A row is `(id, parent_id, tokens, block_ids)`, parents first.
    """
    found: dict[int, tuple[int, int]] = {}
    ends: dict[int | None, int] = {None: 0}
    for id, parent_id, tokens, block_ids in rows:
        at = ends.get(parent_id, 0)
        for k, block in enumerate(block_ids):
            at = known.setdefault((at, tuple(tokens[k * size : (k + 1) * size])), len(known) + 1)
            found.setdefault(at, (block, id))
        ends[id] = at
    return found


_RULES: dict[str, Callable[[Holders, Operation, Any], Claims]] = {
    "BlocksAllocated": _allocated,
    "BlocksFreed": _freed,
    "RequestFinished": _finished,
    "TokensAppended": _appended,
    "PrefixMatched": _matched,
    "BlockRemoved": _removed,
    "WrittenBack": _removed,
    "BlockStored": _stored,
    "BlocksDeduplicated": _deduplicated,
    "AllBlocksCleared": _cleared,
    "TreeResynced": _resynced,
    "PartBroke": _part_broke,
}
