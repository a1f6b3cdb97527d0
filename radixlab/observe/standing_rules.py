"""Rules about a node or a sequence as it stands: what must hold after every operation.

Each function yields `(rule, sentence)` for what is wrong with one node or one sequence of a folded
state. The rules that tell a wrong *event* are in `event_rules.py`; js/invariants.js has both.
"""

from collections.abc import Iterator

from radixlab.escape import count
from radixlab.events import Namespace
from radixlab.observe.holders import Holders
from radixlab.observe.state import NodeState, SequenceState, State

Wrong = Iterator[tuple[str, str]]
"""Ids of rules, each with a sentence that names the thing and the numbers."""


def is_bare(state: State) -> bool:
    """Whether this is a tree alone, which no request has used."""
    return not state.num_requests and not state.sequences


def path_of(state: State, node_id: int | None) -> list[NodeState]:
    """List a node and its ancestors as far as they exist, deepest first; a cycle ends it, too."""
    path: list[NodeState] = []
    node = None if node_id is None else state.nodes.get(node_id)
    while node is not None and len(path) < len(state.nodes):
        path.append(node)
        node = None if node.parent_id is None else state.nodes.get(node.parent_id)
    return path


def wrong_with_node(holders: Holders, node_id: int) -> Wrong:
    """Yield what is wrong with a node; nothing if it does not exist."""
    node = holders.state.nodes.get(node_id)
    if node is None:
        return
    yield from _size(holders.state, node)
    yield from _relations(holders, node)
    yield from _blocks(holders, node)
    yield from _locks(holders, node)


def _size(state: State, node: NodeState) -> Wrong:
    num_blocks, num_tokens = len(node.block_ids), len(node.tokens)
    if not num_blocks or num_tokens != num_blocks * state.block_size:
        has = f"{count(num_blocks, 'block')} and {count(num_tokens, 'token')}"
        yield "M12", f"node {node.id} has {has}: these are not whole blocks"


def _relations(holders: Holders, node: NodeState) -> Wrong:
    state, parent_id = holders.state, node.parent_id
    parent = None if parent_id is None else state.nodes.get(parent_id)
    if parent_id is not None and parent is None:
        yield "E2", f"node {node.id} is cached, but node {parent_id} above it is not"
    if parent is not None and parent.namespace != node.namespace:
        yield "K1", f"node {node.id} is below node {parent.id} of another namespace"
    if parent is not None and node.resident and not parent.resident:
        yield "H6", f"node {node.id} is on the device, but node {parent.id} above it on the host"
    for id in [] if node.resident else holders.children.get(node.id, []):
        if state.nodes[id].resident:
            yield "H6", f"node {id} is on the device, but node {node.id} above it on the host"
    twins = sorted(holders.fronts.get(holders.front(node), []))
    if len(twins) > 1:
        yield "M7", f"node {twins[0]} and node {twins[1]} are siblings with the same first block"


def _blocks(holders: Holders, node: NodeState) -> Wrong:
    state, index = holders.state, holders.blocks_of(node)
    size = state.num_blocks if node.resident else state.num_host_blocks
    word = "block" if node.resident else "host block"
    for block in node.block_ids:
        owners = sorted(index[block])
        if len(owners) > 1:
            yield "M8", f"{word} {block} is in node {owners[0]} and in node {owners[1]}"
            return
        if not 0 <= block < size and not is_bare(state):
            yield "M8", f"{word} {block} of node {node.id} is outside the pool of {size}"
            return


def _locks(holders: Holders, node: NodeState) -> Wrong:
    below = sum(holders.state.nodes[id].lock_ref for id in holders.children.get(node.id, []))
    least = below + len(holders.lockers.get(node.id, []))
    if node.lock_ref < 0:
        yield "L2", f"node {node.id} has {count(node.lock_ref, 'lock')}"
    if node.lock_ref < least:
        yield "L1", f"node {node.id} has {count(node.lock_ref, 'lock')}, not at least {least}"


def wrong_with_sequence(holders: Holders, sequence_id: int) -> Wrong:
    """Yield what is wrong between a sequence and the path that it has locked."""
    state = holders.state
    sequence = state.sequences.get(sequence_id)
    if sequence is None or sequence.node_id is None:
        return
    path = path_of(state, sequence.node_id)[::-1]
    if not path:
        yield "L4", f"sequence {sequence.id} has locked node {sequence.node_id}, which is gone"
        return
    yield from _namespace(sequence, path[-1])
    blocks = [block for node in path for block in node.block_ids]
    where = f"its path, to node {path[-1].id}"
    if sequence.block_table[: len(blocks)] != blocks:
        yield (
            "M10",
            f"the table of sequence {sequence.id} does not begin with the blocks of {where}",
        )
    tokens = [token for node in path for token in node.tokens][: len(sequence.tokens)]
    if sequence.tokens[: len(tokens)] != tokens:
        yield "M8", f"sequence {sequence.id}: {where}, holds other tokens"


def _namespace(sequence: SequenceState, node: NodeState) -> Wrong:
    mine, other = sequence.namespace, node.namespace
    if mine == other:
        return
    rule = "K2" if mine is not None and other is not None and mine[1] == other[1] else "K1"
    yield rule, f"sequence {sequence.id} of {_tag(mine)} reads node {node.id} of {_tag(other)}"


def _tag(namespace: Namespace | None) -> str:
    return "no namespace" if namespace is None else f"namespace {' '.join(namespace)}"
