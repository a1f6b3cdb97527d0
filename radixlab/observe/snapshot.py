"""Reading the engine itself: the state as it is, without any event. And joining its listeners.

What `fold` makes of the events must equal what `snapshot` reads; a test holds the two together.
"""

from radixlab.cache.manager import KVCacheManager
from radixlab.events import Emit, Event
from radixlab.observe.state import SequenceState, State
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
        transfers=[(copy.src, copy.dst) for copy in cache.copies.transfers],
        tick=cache.tick,
        num_requests=cache.num_requests,
        prompt_tokens=cache.prompt_tokens,
        hit_tokens=cache.hit_tokens,
        evicted_blocks=cache.supply.evicted_blocks,
        copied_blocks=cache.copied_blocks,
    )


def attach(cache: Cache, listener: Emit) -> None:
    """Add a listener beside the one the cache has."""
    present = cache.emit
    if present is None:
        cache.emit = listener
    else:
        cache.emit = _both(present, listener)


def _both(first: Emit, second: Emit) -> Emit:
    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit
