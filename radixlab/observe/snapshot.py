"""Reading the engine itself: the state as it is, without any event. And joining its listeners.

What `fold` makes of the events must equal what `snapshot` reads; a test holds the two together.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from radixlab.cache.manager import KVCacheManager
from radixlab.events import Emit, Event
from radixlab.observe.state import COUNTERS, SequenceState, State
from radixlab.observe.watch import WatchedTree, node_state

Cache = KVCacheManager | WatchedTree
"""What can be viewed and recorded: our manager, or any tree under `watch`."""


def snapshot(cache: Cache) -> State:
    """Read the state of a manager or a watched tree, at a cost proportional to its size."""
    if isinstance(cache, WatchedTree):
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
    return cache.next_seq if isinstance(cache, WatchedTree) else cache.log.seq


def attach(cache: Cache, listener: Emit) -> Callable[[], None]:
    """Add a listener beside those the cache has; return a function that takes it off again.

    It is guarded: the engine calls listeners bare, and an exception of one must not stop it half
    way. The first one is printed, and the listener is not called again.
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
    """Several listeners as one."""

    members: list[Emit]

    def __call__(self, event: Event) -> None:
        """Pass the event on, in the order in which they came."""
        for member in tuple(self.members):
            member(event)


def guarded(listener: Emit, on_error: Callable[[Exception], object]) -> Emit:
    """Isolate a listener that a user wrote.

    After its first exception, which `on_error` gets, it is not called again.
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
