"""The cache's state as a fold over its events: all that a viewer knows.

`fold(state, event)` defines what an event means. A test compares the fold with the engine after
every operation of random runs. So a view that is drawn from the fold shows the true state, can
rewind, and can replay a recording without an engine. The browser has the same function
(viz/js/fold.js); a golden test feeds both the same recordings.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from radixlab import events as ev
from radixlab.events import Event, Namespace, Runs, field_names


@dataclass(slots=True)
class NodeState:
    """A node of the tree: its tokens, the blocks of their KV, the receipts at or below it."""

    id: int
    parent_id: int | None
    namespace: Namespace | None
    tokens: list[int]
    block_ids: list[int]
    lock_ref: int = 0
    num_hits: int = 0
    tick: int = 0
    resident: bool = True
    """Whether the blocks are on the device; otherwise they are on the host."""


@dataclass(slots=True)
class SequenceState:
    """A running request: tokens, block table, cached prompt tokens, and the node it has locked."""

    id: int
    namespace: Namespace | None
    tokens: list[int]
    block_table: list[int] = field(default_factory=list)
    hit_tokens: int = 0
    node_id: int | None = None


@dataclass(slots=True)
class State:
    """Everything a picture of the cache is drawn from."""

    num_blocks: int
    block_size: int
    nodes: dict[int, NodeState] = field(default_factory=dict)
    sequences: dict[int, SequenceState] = field(default_factory=dict)
    transfers: list[tuple[int, int, str]] = field(default_factory=list)
    """Pending transfers in order: `(src, dst, kind)`."""
    tick: int = 0
    num_requests: int = 0
    prompt_tokens: int = 0
    hit_tokens: int = 0
    evicted_blocks: int = 0
    copied_blocks: int = 0
    num_host_blocks: int = 0
    host_hit_tokens: int = 0
    written_back_blocks: int = 0
    loaded_back_blocks: int = 0
    dropped_blocks: int = 0
    resumed_prompt_tokens: int = 0
    resumed_hit_tokens: int = 0
    quarantined_blocks: int = 0
    missing_payloads: int = 0
    lost_payloads: int = 0
    refused_messages: int = 0
    left_out_blocks: int = 0
    publisher_restarts: int = 0

    def path(self, node_id: int | None) -> Iterator[NodeState]:
        """Yield the node and its ancestors, deepest first.

        A learner's tree may have lost an ancestor; then the path ends there. Raises `ValueError` if
        a node is its own ancestor.
        """
        node = None if node_id is None else self.nodes[node_id]
        for _ in range(len(self.nodes)):
            if node is None:
                return
            yield node
            node = None if node.parent_id is None else self.nodes.get(node.parent_id)
        if node is not None:
            raise ValueError(f"node {node.id} is its own ancestor")


COUNTERS = tuple(
    name for name in field_names(ev.CacheRestarted) if name not in field_names(ev.AllBlocksCleared)
)
"""What the cache counts, by the names that a state, a restart and `Counts` have in common."""


def expand(runs: Runs) -> list[int]:
    """Return the block ids in runs.

    >>> expand(((4, 3), (9, 1)))
    [4, 5, 6, 9]
    """
    return [block for first, count in runs for block in range(first, first + count)]


def fold(state: State, event: Event) -> State:
    """Apply one event to `state`, in place, and return it.

    Unknown events raise a `KeyError` that names them.
    """
    _RULES[type(event).__name__](state, event)
    return state


def fold_all(state: State, events: Iterable[Event]) -> State:
    """Apply events in order."""
    for event in events:
        fold(state, event)
    return state


def copy_state(state: State) -> State:
    """Copy what `fold` would change."""
    return replace(
        state,
        nodes={
            i: replace(n, tokens=[*n.tokens], block_ids=[*n.block_ids])
            for i, n in state.nodes.items()
        },
        sequences={
            i: replace(s, tokens=[*s.tokens], block_table=[*s.block_table])
            for i, s in state.sequences.items()
        },
        transfers=[*state.transfers],
    )


def _sequence_started(state: State, e: ev.SequenceStarted) -> None:
    state.sequences[e.sequence_id] = SequenceState(e.sequence_id, e.namespace, list(e.token_ids))


def _tokens_appended(state: State, e: ev.TokensAppended) -> None:
    state.sequences[e.sequence_id].tokens[e.start :] = e.token_ids


def _prefix_matched(state: State, e: ev.PrefixMatched) -> None:
    sequence = state.sequences[e.sequence_id]
    path = list(state.path(e.node_id))
    for node in path:
        node.num_hits += 1
        node.tick = e.tick
    sequence.block_table = [block for node in reversed(path) for block in node.block_ids]
    sequence.hit_tokens = e.hit_tokens
    state.tick = e.tick
    state.num_requests += 1
    state.prompt_tokens += e.num_tokens
    state.hit_tokens += e.hit_tokens
    state.host_hit_tokens += e.host_hit_tokens
    if e.resumed:
        state.resumed_prompt_tokens += e.num_tokens
        state.resumed_hit_tokens += e.hit_tokens


def _blocks_allocated(state: State, e: ev.BlocksAllocated) -> None:
    state.sequences[e.sequence_id].block_table += expand(e.block_runs)


def _node_split(state: State, e: ev.NodeSplit) -> None:
    # T5
    lower, cut = state.nodes[e.node_id], e.num_blocks * state.block_size
    state.nodes[e.upper_id] = replace(
        lower, id=e.upper_id, tokens=lower.tokens[:cut], block_ids=lower.block_ids[: e.num_blocks]
    )
    lower.parent_id = e.upper_id
    lower.tokens = lower.tokens[cut:]
    lower.block_ids = lower.block_ids[e.num_blocks :]


def _node_locked(state: State, e: ev.NodeLocked) -> None:
    for node in state.path(e.node_id):
        node.lock_ref += 1
    if e.sequence_id is not None:
        state.sequences[e.sequence_id].node_id = e.node_id


def _node_unlocked(state: State, e: ev.NodeUnlocked) -> None:
    for node in state.path(e.node_id):
        node.lock_ref -= 1
    sequence = state.sequences.get(e.sequence_id) if e.sequence_id is not None else None
    if sequence and sequence.node_id == e.node_id:
        sequence.node_id = None


def _block_stored(state: State, e: ev.BlockStored) -> None:
    block_ids = expand(e.block_runs)
    if e.token_ids is not None:
        tokens = list(e.token_ids)
    else:
        assert e.sequence_id is not None
        stop = e.start_token + len(block_ids) * state.block_size
        tokens = state.sequences[e.sequence_id].tokens[e.start_token : stop]
    node = state.nodes.get(e.node_id)
    if node is None:
        state.nodes[e.node_id] = NodeState(
            e.node_id, e.parent_id, e.namespace, tokens, block_ids, tick=e.tick
        )
    elif node.resident:
        node.tokens += tokens
        node.block_ids += block_ids
    else:
        node.block_ids, node.resident = block_ids, True


def _block_removed(state: State, e: ev.BlockRemoved) -> None:
    node, gone = state.nodes[e.node_id], expand(e.block_runs)
    keep = len(node.block_ids) - len(gone)
    del node.block_ids[keep:], node.tokens[keep * state.block_size :]
    if not node.block_ids:
        del state.nodes[e.node_id]
    if node.resident:
        state.evicted_blocks += len(gone)
    if state.num_host_blocks:
        state.dropped_blocks += len(gone)


def _written_back(state: State, e: ev.WrittenBack) -> None:
    node, host_ids = state.nodes[e.node_id], expand(e.host_runs)
    device_ids = expand(e.block_runs)
    if e.host_node_id == e.node_id:
        node.block_ids, node.resident = host_ids, False
    else:
        _pass_down(state, node, e.host_node_id, host_ids)
    _order(state, device_ids, host_ids, "write_back")
    state.evicted_blocks += len(host_ids)
    state.written_back_blocks += len(host_ids)


def _pass_down(state: State, node: NodeState, host_node_id: int, host_ids: list[int]) -> None:
    """Move a node's tail to the front of its child on the host, which may be a new node."""
    keep = len(node.block_ids) - len(host_ids)
    tokens = node.tokens[keep * state.block_size :]
    del node.block_ids[keep:], node.tokens[keep * state.block_size :]
    below = state.nodes.get(host_node_id)
    if below is None:
        for child in state.nodes.values():
            if child.parent_id == node.id:
                child.parent_id = host_node_id
        below = replace(
            node, id=host_node_id, parent_id=node.id, tokens=[], block_ids=[], resident=False
        )
        state.nodes[host_node_id] = below
    below.tokens[:0], below.block_ids[:0] = tokens, host_ids


def _loaded_back(state: State, e: ev.LoadedBack) -> None:
    node, device_ids = state.nodes[e.node_id], expand(e.block_runs)
    node.block_ids, node.resident = device_ids, True
    _order(state, expand(e.host_runs), device_ids, "load_back")
    state.loaded_back_blocks += len(device_ids)


def _order(state: State, src: list[int], dst: list[int], kind: str) -> None:
    state.transfers += [(s, d, kind) for s, d in zip(src, dst, strict=True)]


def _blocks_deduplicated(state: State, e: ev.BlocksDeduplicated) -> None:
    kept = expand(e.kept_runs)
    state.sequences[e.sequence_id].block_table[e.start_block : e.start_block + len(kept)] = kept


def _block_copied(state: State, e: ev.BlockCopied) -> None:
    state.sequences[e.sequence_id].block_table[e.table_index] = e.dst
    _order(state, [e.src], [e.dst], "copy")
    state.copied_blocks += 1


def _transfers_completed(state: State, e: ev.TransfersCompleted) -> None:
    for transfer in e.transfers:
        state.transfers.remove(transfer)


def _sequence_forked(state: State, e: ev.SequenceForked) -> None:
    parent = state.sequences[e.parent_id]
    num_blocks = -(-e.num_tokens // state.block_size)
    state.sequences[e.sequence_id] = SequenceState(
        e.sequence_id,
        parent.namespace,
        parent.tokens[: e.num_tokens],
        parent.block_table[:num_blocks],
    )


def _request_finished(state: State, e: ev.RequestFinished) -> None:
    for node in state.path(state.sequences.pop(e.sequence_id).node_id):
        node.tick = e.tick
    state.tick = e.tick


def _blocks_quarantined(state: State, e: ev.BlocksQuarantined) -> None:
    state.quarantined_blocks += len(expand(e.block_runs))


def _cache_restarted(state: State, e: ev.CacheRestarted) -> None:
    state.nodes, state.sequences, state.transfers = {}, {}, []
    for counter in COUNTERS:
        setattr(state, counter, getattr(e, counter))


def _all_blocks_cleared(state: State, e: ev.AllBlocksCleared) -> None:
    state.nodes.clear()


def _tree_resynced(state: State, e: ev.TreeResynced) -> None:
    state.nodes = {
        id: NodeState(
            id, parent_id, namespace, list(tokens), list(block_ids), lock_ref, num_hits, tick
        )
        for id, parent_id, namespace, tokens, block_ids, lock_ref, num_hits, tick in e.nodes
    }


STREAM_COUNTERS = tuple(
    name
    for name in field_names(ev.StreamReported)
    if name.endswith(("_payloads", "_messages", "_blocks", "_restarts"))
)
"""What is counted of the stream of another engine's events."""


def _stream_reported(state: State, e: ev.StreamReported) -> None:
    for counter in STREAM_COUNTERS:
        setattr(state, counter, getattr(e, counter))


def _no_change(state: State, e: Event) -> None:
    """Do nothing: the event only marks the timeline, and other events carry its effect."""


_RULES: dict[str, Callable[[State, Any], None]] = {
    "SequenceStarted": _sequence_started,
    "TokensAppended": _tokens_appended,
    "PrefixMatched": _prefix_matched,
    "BlocksAllocated": _blocks_allocated,
    "BlocksFreed": _no_change,
    "NodeSplit": _node_split,
    "NodeLocked": _node_locked,
    "NodeUnlocked": _node_unlocked,
    "BlockStored": _block_stored,
    "BlockRemoved": _block_removed,
    "WrittenBack": _written_back,
    "LoadedBack": _loaded_back,
    "BlocksDeduplicated": _blocks_deduplicated,
    "BlockCopied": _block_copied,
    "TransfersCompleted": _transfers_completed,
    "SequenceForked": _sequence_forked,
    "RequestFinished": _request_finished,
    "RequestPreempted": _no_change,
    "OutOfBlocks": _no_change,
    "BlocksQuarantined": _blocks_quarantined,
    "CacheRestarted": _cache_restarted,
    "AllBlocksCleared": _all_blocks_cleared,
    "TreeResynced": _tree_resynced,
    "PartBroke": _no_change,
    "StreamReported": _stream_reported,
}
