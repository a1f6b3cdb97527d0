"""Where two runs part: the first event that did something else.

An event is compared by its *deed*: what it did, without what only explains it (the policy's reason,
ticks, why something was missed). Nodes and sequences are counted in the order in which a log names
them, because two trees may number them differently. So a learner's tree can be compared with ours,
and two policies that take the same victim for different reasons are still the same run. The browser
has the same function (viz/js/divergence.js); a test compares the two.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any

from radixlab.events import (
    AllBlocksCleared,
    BlockRemoved,
    CacheRestarted,
    Event,
    SequenceForked,
    SequenceStarted,
    TreeResynced,
)
from radixlab.observe.deeds import deed_words
from radixlab.observe.state import State, copy_state, expand, fold

_Deed = dict[str, Any]
"""The type of an event and what it did, by field."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run to compare: its name, its first state, its events."""

    name: str
    start: State
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two runs part: at event `at` of both, counted from 0, in this request."""

    at: int
    request: int
    """Counted from 1; 0 before the first request."""
    text: str


def first_divergence(a: Run, b: Run) -> Divergence | None:
    """Find the first event at which two runs part; None if they are the same."""
    if text := _starts_differ(a.start, b.start):
        return Divergence(0, 0, f"The runs begin in different states: {text}.")
    request = 0
    for at, (left, right) in enumerate(zip_longest(_deeds(a), _deeds(b))):
        request += any(deed and deed["type"] == SequenceStarted.__name__ for deed in (left, right))
        if left != right:
            where = f"in request {request}" if request else "before the first request"
            said = _said(a, b, at, left, right)
            return Divergence(at, request, f"The runs part {where}, at event {at + 1}: {said}.")
    return None


def verdict(a: Run, b: Run) -> str:
    """Say in one line where two runs part, or that they are the same.

    >>> verdict(Run("a", State(4, 2), []), Run("b", State(4, 2), []))
    'The runs are the same: 0 requests, 0 events.'
    """
    if found := first_divergence(a, b):
        return found.text
    requests = sum(isinstance(event, SequenceStarted) for event in a.events)
    events = len(a.events)
    return (
        f"The runs are the same: {requests} request{'' if requests == 1 else 's'}, "
        f"{events} event{'' if events == 1 else 's'}."
    )


def _said(a: Run, b: Run, at: int, left: _Deed | None, right: _Deed | None) -> str:
    """Say what each run did there, and what differs if the words do not."""
    one, two = (deed_words(run.events[at]) if at < len(run.events) else "" for run in (a, b))
    if one != two or left is None or right is None:
        return f"{a.name} {one or 'has ended'}, {b.name} {two or 'has ended'}"
    name = next(name for name in left if left[name] != right[name])
    return f"{a.name} and {b.name} {one}, but {name} differs"


_EXPLAINS = {"seq", "step", "site", "tick", "evicted_tick", "miss_reason"}
_NOT_BY_POLICY = re.compile("host full$|corrupt KV")
"""What of a reason is more than the policy's order."""
_NODES = {"node_id", "upper_id", "host_node_id"}
_EMPTIES = (BlockRemoved, TreeResynced, CacheRestarted, AllBlocksCleared)
"""Events after which a node may be gone."""


class _Names(dict[tuple[str, int], int]):
    """Numbers nodes and sequences in the order in which a log first names them."""

    num_named = 0

    def of(self, kind: str, id: int | None) -> int | None:
        if id is None:
            return None
        if (kind, id) not in self:
            self[kind, id] = self.num_named
            self.num_named += 1
        return self[kind, id]

    def forget_nodes(self, state: State) -> None:
        """Forget the removed nodes: a tree may give their ids again, to other nodes."""
        for kind, id in [*self]:
            if kind == "node" and id not in state.nodes:
                del self[kind, id]


def _deeds(run: Run) -> Iterator[_Deed]:
    state, names = copy_state(run.start), _Names()
    _contents(state, names)
    for event in run.events:
        yield {"type": type(event).__name__} | {
            f.name: _plain(event, f.name, names) for f in fields(event) if f.name not in _EXPLAINS
        }
        fold(state, event)
        if isinstance(event, _EMPTIES):
            names.forget_nodes(state)


def _plain(event: Event, name: str, names: _Names) -> Any:
    value = getattr(event, name)
    if name in _NODES or (name == "parent_id" and not isinstance(event, SequenceForked)):
        return names.of("node", value)
    if name in ("sequence_id", "parent_id"):
        return names.of("sequence", value)
    if name.endswith("_runs"):
        return expand(value)
    if name == "reason" and isinstance(event, BlockRemoved):
        return _NOT_BY_POLICY.findall(value)
    if name == "nodes":  # id, parent, namespace, tokens, blocks, locks; then hits and tick
        rows = sorted(value, key=lambda row: (row[4], row[0]))
        return [(names.of("node", r[0]), names.of("node", r[1]), *r[2:6]) for r in rows]
    return None if name == "reason" and hasattr(event, "host_runs") else value


def _contents(state: State, names: _Names) -> Any:
    """Return what a state holds, without ids of nodes and sequences, ticks and counters."""
    nodes = [(_path_text(state, node.id), node) for node in state.nodes.values()]
    rows: list[Any] = []
    for path, node in sorted(nodes, key=lambda pair: pair[0]):
        names.of("node", node.id)
        rows.append((path, node.block_ids, node.resident, node.lock_ref))
    for id in sorted(state.sequences):
        s = state.sequences[id]
        names.of("sequence", id)
        row = (s.namespace, s.tokens, s.block_table, s.hit_tokens, names.of("node", s.node_id))
        rows.append(row)
    return rows, state.transfers


def _path_text(state: State, node_id: int) -> str:
    path = list(state.path(node_id))[::-1]
    return json.dumps([path[0].namespace, [node.tokens for node in path]])


def _starts_differ(a: State, b: State) -> str:
    sizes = {"num_blocks": "blocks", "block_size": "tokens a block"}
    sizes |= {"num_host_blocks": "host blocks"}
    for name, what in sizes.items():
        left, right = getattr(a, name), getattr(b, name)
        if left != right:
            return f"{left} and {right} {what}"
    same = _contents(a, _Names()) == _contents(b, _Names())
    return "" if same else "they hold different contents"
