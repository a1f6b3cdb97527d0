"""Whether an event fits the state before it, and how many entries it adds to the state.

`fold` trusts its events. A recording may be damaged or malicious, so this file compares each event
with the state *before* it is folded. Every node's parent must exist, so there are no cycles. Ranges
must lie inside the arrays that they refer to. A few bytes cannot stand for millions of entries.

Sizes are counted in entries: a token counts 1, a block id 4 and a transfer 16. This is roughly
their size in memory, in words.
"""

from collections.abc import Callable
from typing import Any

from radixlab import events as ev
from radixlab.cache.rules import rules
from radixlab.cache.runs import num_blocks_in
from radixlab.events import Event, Runs, field_names
from radixlab.observe.fields import are_tokens, is_count, is_number
from radixlab.observe.state import NodeState, SequenceState, State, expand

BLOCK, TRANSFER = 4, 16
"""The entries for one block id, and for one transfer."""
FREE_ENTRIES, ENTRIES_PER_BYTE = 2**21, 16
"""The limit of a state: a fixed number of entries, plus a number per byte that was read."""


class Misfit(ValueError):
    """An event that does not fit; the message says why."""


def growth(state: State, event: Event) -> int:
    """Return how many entries an event adds to the state; raise `Misfit` if it does not fit.

    Nothing is changed. The cost depends only on the event and the objects that it names.
    """
    name = type(event).__name__
    for field in field_names(type(event)):
        if field.endswith("runs"):
            _check_runs(state, field, getattr(event, field))
    return _RULES[name](state, event) if name in _RULES else 0


def entries(part: NodeState | SequenceState) -> int:
    """Count the entries of a node or a sequence."""
    blocks = part.block_ids if isinstance(part, NodeState) else part.block_table
    return len(part.tokens) + BLOCK * len(blocks)


def state_entries(state: State) -> int:
    """Count the entries of a whole state."""
    nodes = sum(map(entries, state.nodes.values()))
    sequences = sum(map(entries, state.sequences.values()))
    return nodes + sequences + TRANSFER * len(state.transfers)


def _need(fits: bool, why: str) -> None:
    if not fits:
        raise Misfit(why)


def _check_runs(state: State, name: str, runs: Runs) -> None:
    most = max(state.num_blocks, state.num_host_blocks)
    for first, count in runs:
        last = first + count - 1
        _need(last < most, f"{name}: block {last} is outside the pool of {most}")
    total = num_blocks_in(runs)
    _need(total <= most, f"{name}: {total} blocks of a pool of {most}")


def _node(state: State, node_id: int) -> NodeState:
    _need(node_id in state.nodes, f"there is not a node {node_id}")
    return state.nodes[node_id]


def _sequence(state: State, sequence_id: int | None) -> SequenceState:
    _need(sequence_id in state.sequences, f"no sequence {sequence_id} runs")
    return state.sequences[sequence_id]  # type: ignore[index]  # None is never a key


def _new_sequence(state: State, sequence_id: int) -> None:
    _need(sequence_id not in state.sequences, f"sequence {sequence_id} runs already")


def _tail(node: NodeState, runs: Runs) -> int:
    """Return the number of these blocks; they must be the node's last ones."""
    num = num_blocks_in(runs)
    is_tail = 0 < num <= len(node.block_ids) and node.block_ids[-num:] == expand(runs)
    _need(is_tail, f"these are not the last blocks of node {node.id}")
    return num


# ---- sequences


def _sequence_started(state: State, e: ev.SequenceStarted) -> int:
    _new_sequence(state, e.sequence_id)
    return len(e.token_ids)


def _tokens_appended(state: State, e: ev.TokensAppended) -> int:
    num = len(_sequence(state, e.sequence_id).tokens)
    _need(e.start == num, f"tokens appended at {e.start}: sequence {e.sequence_id} has {num}")
    return len(e.token_ids)


def _prefix_matched(state: State, e: ev.PrefixMatched) -> int:
    sequence = _sequence(state, e.sequence_id)
    _need(not sequence.block_table, f"sequence {e.sequence_id} has its blocks already")
    num = len(sequence.tokens)
    _need(e.num_tokens == num, f"{e.num_tokens} tokens: sequence {e.sequence_id} has {num}")
    _need(e.host_hit_tokens <= e.hit_tokens <= num, f"{e.hit_tokens} of {num} tokens hit")
    if e.node_id is not None:
        _node(state, e.node_id)
    num_blocks = sum(len(node.block_ids) for node in state.path(e.node_id))
    _need(num_blocks <= state.num_blocks, f"{num_blocks} blocks of {state.num_blocks}")
    return BLOCK * num_blocks


def _blocks_allocated(state: State, e: ev.BlocksAllocated) -> int:
    num, more = len(_sequence(state, e.sequence_id).block_table), num_blocks_in(e.block_runs)
    _need(num + more <= state.num_blocks, f"a table of {num + more} blocks of {state.num_blocks}")
    return BLOCK * more


def _blocks_deduplicated(state: State, e: ev.BlocksDeduplicated) -> int:
    num, kept = len(_sequence(state, e.sequence_id).block_table), num_blocks_in(e.kept_runs)
    _need(kept == num_blocks_in(e.freed_runs), "as many blocks must be kept as are freed")
    end = e.start_block + kept
    _need(end <= num, f"the table of sequence {e.sequence_id} ends at {num}, not {end}")
    return 0


def _block_copied(state: State, e: ev.BlockCopied) -> int:
    num = len(_sequence(state, e.sequence_id).block_table)
    _need(e.table_index < num, f"no block {e.table_index} in a table of {num}")
    for block in (e.src, e.dst):
        _need(block < state.num_blocks, f"block {block} is outside the pool of {state.num_blocks}")
    return TRANSFER


def _sequence_forked(state: State, e: ev.SequenceForked) -> int:
    _new_sequence(state, e.sequence_id)
    parent = _sequence(state, e.parent_id)
    num = len(parent.tokens)
    _need(0 < e.num_tokens <= num, f"a fork at token {e.num_tokens} of {num}")
    return entries(parent)


def _request_finished(state: State, e: ev.RequestFinished) -> int:
    sequence = _sequence(state, e.sequence_id)
    if sequence.node_id is not None:
        _node(state, sequence.node_id)
    return -entries(sequence)


def _request_preempted(state: State, e: ev.RequestPreempted) -> int:
    _sequence(state, e.sequence_id)
    return 0


# ---- the tree


def _node_split(state: State, e: ev.NodeSplit) -> int:
    num = len(_node(state, e.node_id).block_ids)
    _need(e.upper_id not in state.nodes, f"there is a node {e.upper_id} already")
    _need(0 < e.num_blocks < num, f"node {e.node_id} of {num} blocks is split at {e.num_blocks}")
    return 0


def _node_locked(state: State, e: ev.NodeLocked | ev.NodeUnlocked) -> int:
    _node(state, e.node_id)
    if e.sequence_id is not None and isinstance(e, ev.NodeLocked):
        _sequence(state, e.sequence_id)
    return 0


def _block_stored(state: State, e: ev.BlockStored) -> int:
    num, node = num_blocks_in(e.block_runs), state.nodes.get(e.node_id)
    _need(num > 0, "no block is stored")
    num_tokens = num * state.block_size
    if e.token_ids is None:
        there = len(_sequence(state, e.sequence_id).tokens)
        end = e.start_token + num_tokens
        _need(end <= there, f"tokens up to {end} of sequence {e.sequence_id}, which has {there}")
    else:  # it may come from a learner's tree, which is drawn as it is
        num_tokens = len(e.token_ids)
    if node is None:
        _check_parent(e.node_id, e.parent_id, state.nodes)
    elif not node.resident:
        _need(num == len(node.block_ids), f"node {e.node_id} has {len(node.block_ids)} blocks")
        return 0
    return num_tokens + BLOCK * num


def _check_parent(node_id: int, parent_id: int | None, known: Any) -> None:
    if parent_id == node_id:
        raise Misfit(f"node {node_id} is its own parent")
    _need(parent_id is None or parent_id in known, f"node {node_id} has no parent {parent_id}")


def _block_removed(state: State, e: ev.BlockRemoved) -> int:
    return -_tail(_node(state, e.node_id), e.block_runs) * (BLOCK + state.block_size)


def _written_back(state: State, e: ev.WrittenBack) -> int:
    node = _node(state, e.node_id)
    _need(node.resident, f"node {e.node_id} is on the host already")
    num = _tail(node, e.block_runs)
    _need(num == num_blocks_in(e.host_runs), f"{num} blocks go to {num_blocks_in(e.host_runs)}")
    whole = num == len(node.block_ids)
    _need(whole == (e.host_node_id == e.node_id), f"not all of node {e.node_id} goes to the host")
    below = None if whole else state.nodes.get(e.host_node_id)
    if below is not None:
        fits = below.parent_id == node.id and not below.resident
        _need(fits, f"node {below.id} does not continue node {node.id} on the host")
    return TRANSFER * num


def _loaded_back(state: State, e: ev.LoadedBack) -> int:
    node = _node(state, e.node_id)
    _need(not node.resident, f"node {e.node_id} is on the device already")
    num = _tail(node, e.host_runs)
    _need(
        num == len(node.block_ids) == num_blocks_in(e.block_runs), "not all of the node is loaded"
    )
    return TRANSFER * num


def _transfers_completed(state: State, e: ev.TransfersCompleted) -> int:
    _need(len(e.transfers) <= len(state.transfers), "more transfers are complete than are pending")
    return -TRANSFER * len(e.transfers)


def _cache_restarted(state: State, e: ev.CacheRestarted) -> int:
    return -state_entries(state)


def _all_blocks_cleared(state: State, e: ev.AllBlocksCleared) -> int:
    return -sum(map(entries, state.nodes.values()))


def _tree_resynced(state: State, e: ev.TreeResynced) -> int:
    known, num_entries = set[int](), 0
    for row in e.nodes:
        _need(len(row) == 8, f"a node is a row of 8, not {len(row)}")
        node_id, parent_id, namespace, tokens, block_ids, *counts = row
        numbers = [node_id] if parent_id is None else [node_id, parent_id]
        sound = all(map(is_number, numbers)) and all(map(is_count, counts[1:]))
        sound = sound and is_number(counts[0]) and is_namespace(namespace)
        sound = sound and are_tokens(tokens) and are_tokens(block_ids)
        _need(sound, f"node {node_id!r:.40} has a field of the wrong type")
        _need(node_id not in known, f"node {node_id} is there twice")
        _check_parent(node_id, parent_id, known)
        known.add(node_id)
        num_entries += len(tokens) + BLOCK * len(block_ids)
    return num_entries - sum(map(entries, state.nodes.values()))


def _part_broke(state: State, e: ev.PartBroke) -> int:
    _need(e.rule in {rule.id for rule in rules()}, f"there is no rule {e.rule!r:.40}")
    return 0


def is_namespace(value: Any) -> bool:
    """Whether this is a tagged pair, or None."""
    if value is None:
        return True
    is_pair = isinstance(value, tuple) and len(value) == 2
    return is_pair and all(isinstance(part, str) for part in value)


_RULES: dict[str, Callable[[State, Any], int]] = {
    "SequenceStarted": _sequence_started,
    "TokensAppended": _tokens_appended,
    "PrefixMatched": _prefix_matched,
    "BlocksAllocated": _blocks_allocated,
    "NodeSplit": _node_split,
    "NodeLocked": _node_locked,
    "NodeUnlocked": _node_locked,
    "BlockStored": _block_stored,
    "BlockRemoved": _block_removed,
    "WrittenBack": _written_back,
    "LoadedBack": _loaded_back,
    "BlocksDeduplicated": _blocks_deduplicated,
    "BlockCopied": _block_copied,
    "TransfersCompleted": _transfers_completed,
    "SequenceForked": _sequence_forked,
    "RequestFinished": _request_finished,
    "RequestPreempted": _request_preempted,
    "CacheRestarted": _cache_restarted,
    "AllBlocksCleared": _all_blocks_cleared,
    "TreeResynced": _tree_resynced,
    "PartBroke": _part_broke,
}
"""Events that are not listed here cannot damage a state."""
