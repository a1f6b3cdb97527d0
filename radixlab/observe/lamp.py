"""The invariant lamp: the checks of `check(manager)`, recomputed from the events alone.

`check` looks into the engine. The lamp knows only what the events say, so it works on a recording,
on a learner's tree, and in the browser (js/invariants.js is the same; a test compares the two). It
finds the first event that breaks a rule. A bug that tells a sound story stays dark here.

The rules hold between operations, not within one: a duplicate is freed a few events after the lock
has moved to the tree's block. So a wrong standing is a *doubt* first. It is confirmed with the next
operation if it still holds, and it keeps the number of the event that raised it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from radixlab.cache.rules import rule
from radixlab.events import Event
from radixlab.observe.event_rules import Operation, claims
from radixlab.observe.holders import Holders
from radixlab.observe.standing_rules import Wrong, wrong_with_node, wrong_with_sequence
from radixlab.observe.state import State, copy_state, fold

OPENERS = frozenset(
    (
        "SequenceStarted",
        "SequenceForked",
        "RequestPreempted",
        "RequestFinished",
        "TransfersCompleted",
        "OutOfBlocks",
        "BlocksQuarantined",
        "AllBlocksCleared",
    )
)
"""Events that an operation begins with; so does the first event of another step."""
WHOLE = frozenset(("CacheRestarted", "AllBlocksCleared", "TreeResynced"))
"""Events after which every node and sequence is looked at."""
KEEPS_NODES = frozenset(("NodeLocked", "NodeUnlocked", "PrefixMatched"))
"""Events after which each node has the blocks and the parent that it had."""
MOVES_TABLES = frozenset(
    (
        "PrefixMatched",
        "BlocksAllocated",
        "NodeLocked",
        "NodeUnlocked",
        "BlocksDeduplicated",
        "BlockCopied",
        "SequenceForked",
        "RequestFinished",
    )
)
"""Events that change a block table or the node that its sequence has locked."""
FOLD_ERRORS = (LookupError, ValueError, TypeError, AttributeError, AssertionError)
"""What `fold` raises for an event that does not fit the state before it."""
NODE_FIELDS = ("node_id", "upper_id", "host_node_id", "parent_id")


@dataclass(frozen=True, slots=True)
class Fault:
    """The first broken rule of a log."""

    position: int
    """The number of the event, counted from 1; 0 for the state that the log begins in."""
    rule: str
    what: str
    """What is wrong, with the names and numbers."""

    def __str__(self) -> str:
        where = f"event {self.position}" if self.position else "the start"
        return f"{self.rule} broken at {where}: {self.what}.\n{rule(self.rule).sentence}"


@dataclass(frozen=True, slots=True)
class _Doubt:
    position: int
    rule: str
    says: Callable[[], str | None]
    """What is wrong now, or None."""


class Lamp:
    """Follows a log; `fault` is its first broken rule once that is certain, and stays.

    >>> lamp = Lamp(State(num_blocks=4, block_size=2))
    >>> print(lamp.verdict())
    None
    """

    def __init__(self, state: State, start: int = 0) -> None:
        self._state = copy_state(state)
        self._holders = Holders(self._state)
        self._operation = Operation()
        self._step: int | None = None
        self._doubts: list[_Doubt] = []
        self.position = start
        """How many events of the log there are up to here."""
        self.fault: Fault | None = None
        self._look(sorted(self._state.nodes), sorted(self._state.sequences))

    def follow(self, event: Event) -> None:
        """Take the next event; after a fault do nothing more."""
        name = type(event).__name__
        if name in OPENERS or self._step not in (None, event.step):
            self._confirm()
        if self.fault is not None:
            return
        self._step = event.step
        self.position += 1
        if name == "CacheRestarted":  # what the broken call left open is forgotten with it
            self._doubts.clear()
        try:
            for claim in claims(self._holders, self._operation, event):
                self._doubts.append(_Doubt(self.position, claim.rule, claim.says))
            self._fold(name, event)
        except FOLD_ERRORS:
            self.fault = self._misfit(name, event)

    def _fold(self, name: str, event: Event) -> None:
        nodes, sequences = self._named(event)
        if name in WHOLE:
            fold(self._state, event)
            self._holders.rebuild()
            nodes, sequences = set(self._state.nodes), set(self._state.sequences)
        else:
            moved = (
                () if name in KEEPS_NODES else nodes,
                sequences if name in MOVES_TABLES else (),
            )
            self._holders.remove(*moved)
            fold(self._state, event)
            self._holders.add(*moved)
        self._look(sorted(nodes), sorted(sequences) if name in MOVES_TABLES else ())

    def _misfit(self, name: str, event: Event) -> Fault:
        """Blame an event that cannot be folded: the events before it tell another story."""
        node_id = getattr(event, "node_id", None)
        if name in ("NodeLocked", "PrefixMatched") and node_id not in self._state.nodes:
            verb = "locked" if name == "NodeLocked" else "matched"
            return Fault(self.position, "E6", f"node {node_id} was {verb}, but it is gone")
        return Fault(self.position, "T5", f"{name} does not fit the events before it")

    def verdict(self) -> Fault | None:
        """Return the first broken rule, as if the last operation were over."""
        found = ((doubt, doubt.says()) for doubt in self._doubts)
        faults = (Fault(doubt.position, doubt.rule, what) for doubt, what in found if what)
        return self.fault or next(faults, None)

    def _confirm(self) -> None:
        self.fault = self.verdict()
        self._doubts.clear()
        self._operation.changed, self._operation.owed = False, ()

    def _look(self, nodes: Iterable[int], sequences: Iterable[int]) -> None:
        """Doubt what is wrong with these nodes and sequences now."""
        for wrong, ids in ((wrong_with_node, nodes), (wrong_with_sequence, sequences)):
            for id in ids:
                for name, _ in wrong(self._holders, id):
                    says = partial(_still, wrong, self._holders, id, name)
                    self._doubts.append(_Doubt(self.position, name, says))

    def _named(self, event: Event) -> tuple[set[int], set[int]]:
        """Return the nodes and sequences that an event names, and the nodes below that it moves."""
        named = (getattr(event, field, None) for field in NODE_FIELDS)
        nodes = {id for id in named if id is not None}
        if type(event).__name__ in ("BlockRemoved", "WrittenBack"):
            for id in tuple(nodes):
                nodes.update(self._holders.children.get(id, ()))
        sequence = getattr(event, "sequence_id", None)
        return nodes, set() if sequence is None else {sequence}


def _still(wrong: Callable[..., Wrong], holders: Holders, id: int, name: str) -> str | None:
    return next((what for rule, what in wrong(holders, id) if rule == name), None)


def first_fault(state: State, events: Iterable[Event], start: int = 0) -> Fault | None:
    """Follow a whole log from this state; return the first broken rule, or None.

    `start` is the number of the log's first event.
    """
    lamp = Lamp(state, start)
    for event in events:
        lamp.follow(event)
        if lamp.fault is not None:
            break
    return lamp.verdict()
