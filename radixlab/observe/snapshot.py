"""Reading the state from the engine itself, without events, and adding listeners.

The state that `fold` computes from events must equal the state that `snapshot` reads; a test
compares the two.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from radixlab.cache.manager import KVCacheManager
from radixlab.events import Emit, Event
from radixlab.observe.state import COUNTERS, SequenceState, State
from radixlab.observe.watch import node_state


class Observed(Protocol):
    """A tree that tells its changes: one under `watch`, or a `RemoteTree`."""

    emit: Emit | None

    @property
    def next_seq(self) -> int:
        """The number of the next event."""

    def snapshot(self) -> State:
        """Read the tree's state now."""


Cache = KVCacheManager | Observed
"""What can be viewed and recorded: our manager, or a tree that tells its changes."""


def snapshot(cache: Cache) -> State:
    """Read the state of a manager or of another tree, at a cost proportional to its size."""
    if not isinstance(cache, KVCacheManager):
        return cache.snapshot()
    return State(
        num_blocks=cache.config.num_blocks,
        block_size=cache.config.block_size,
        nodes={view.id: node_state(view) for view in cache.tree.walk()},
        sequences={
            s.id: SequenceState(
                s.id,
                s.namespace,
                s.token_ids.tolist(),
                s.block_table.tolist(),
                s.hit_tokens,
                s.node.id if s.node.parent else None,
            )
            for s in cache.sequences.values()
        },
        transfers=[(t.src, t.dst, t.kind) for t in cache.transfers],
        num_host_blocks=cache.config.num_host_blocks,
        **{name: getattr(cache.counts, name) for name in COUNTERS},
    )


def next_seq(cache: Cache) -> int:
    """Return the number of the next event."""
    return cache.log.seq if isinstance(cache, KVCacheManager) else cache.next_seq


def attach(cache: Cache, listener: Emit) -> Callable[[], None]:
    """Add a listener to a cache; return a function that removes it again.

    The listener is guarded, because the engine calls listeners directly, and an exception must not
    stop the engine half-way. The first exception is printed, and the listener is not called again.
    """
    present = cache.emit
    crowd = present if isinstance(present, Listeners) else Listeners([present] if present else [])
    crowd.members.append(guarded(listener, traceback.print_exception))
    mine, cache.emit = crowd.members[-1], crowd

    def detach() -> None:
        if mine in crowd.members:
            crowd.members.remove(mine)
        if not crowd.members and cache.emit is crowd:
            cache.emit = None

    return detach


@dataclass(eq=False, slots=True)
class Listeners:
    """Passes each event to several listeners."""

    members: list[Emit]

    def __call__(self, event: Event) -> None:
        """Pass the event to the listeners, in the order in which they were added."""
        for member in tuple(self.members):
            member(event)


def guarded(listener: Emit, on_error: Callable[[Exception], object]) -> Emit:
    """Isolate a listener that a user wrote.

    `on_error` gets its first exception; after that the listener is not called again.
    """
    broken = False

    def emit(event: Event) -> None:
        nonlocal broken
        if broken:
            return
        try:
            listener(event)
        except Exception as error:
            broken = True
            on_error(error)

    return emit
