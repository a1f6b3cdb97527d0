"""How the tree grows: written blocks become a new leaf, or the tail of one that exists.

Where the tree has some of the blocks already, its own stay and the caller's are duplicates, but for
blocks that are on the host only: there the caller's take their place, and nothing is copied.
"""

from typing import TYPE_CHECKING, Any

from radixlab.cache.edges import common_blocks, compact
from radixlab.cache.node import Node, no_handle
from radixlab.cache.protocols import BlockIds, Receipt
from radixlab.cache.runs import to_runs
from radixlab.cache.tiers import to_device
from radixlab.cache.tokens import Tokens
from radixlab.events import BlockStored

if TYPE_CHECKING:  # the tree calls this file
    from radixlab.cache.tree import RadixTree


def extend(
    tree: "RadixTree",
    node: Node,
    tokens: Tokens,
    block_ids: BlockIds,
    tick: int,
    receipt: Receipt | None = None,
    sequence_id: int | None = None,
) -> tuple[Node, list[BlockIds]]:
    """Insert, going on from `node`, whose path holds the first `node.end` blocks already.

    Returns the node where the key ends, and the device's ids for the leading blocks it had. A
    running sequence gives its `receipt` on `node` along: the lock moves to where the key ends, and
    a leaf that nobody else has locked grows in place.
    """
    if not node.alive:
        raise no_handle(node)
    start, index, stop = node.end, node.end, node.end + len(block_ids)  # in blocks
    step, cached = tree.block_bytes, list[BlockIds]()
    while index < stop:
        position = index * step
        child = node.children.get(tokens.view[position : position + step].tobytes())
        if child is None:
            break
        limit = min(child.num_blocks, stop - index)
        shared = common_blocks(tokens.data, position, child.edge, limit, step)
        node = child if shared == child.num_blocks else tree.split(child, shared)
        if node.resident:
            cached.append(node.block_ids)
        else:
            mine = block_ids[index - start : index - start + shared]
            _replace_host_copy(tree, node, tokens, mine, tick, sequence_id)
        index += shared
    new = block_ids[index - start :]
    if receipt is not None and receipt.node is node:
        return _extend_locked(tree, node, tokens, new, tick, receipt, sequence_id), cached
    if len(new):
        node = _add_leaf(tree, node, tokens, new, tick, sequence_id)
        tree.num_evictable_blocks += len(new)
        tree.policy.on_evictable(node)
    if receipt is not None:
        tree.move(receipt, node, sequence_id)
    return node, cached


def _extend_locked(
    tree: "RadixTree",
    node: Node,
    tokens: Tokens,
    block_ids: BlockIds,
    tick: int,
    receipt: Receipt,
    sequence_id: int | None,
) -> Node:
    """Store blocks below the node that `receipt` holds, the usual case of a commit.

    If nobody else has locked it and it is a leaf, it grows in place. Otherwise a new leaf is
    born locked, and the receipt moves down to it; the node stays locked through its child.
    """
    if not len(block_ids):
        return node
    if node.num_receipts == 1 and node.parent and not node.children:
        start, stop = node.end - node.num_blocks, node.end + len(block_ids)
        edge = tokens.view[start * tree.block_bytes : stop * tree.block_bytes]
        node.lengthen(edge, block_ids)
        tree.num_blocks += len(block_ids)
        if tree.emit:
            tree.emit(BlockStored(*_stored(tree, node, len(block_ids), tokens, sequence_id)))
        return node
    leaf = _add_leaf(tree, node, tokens, block_ids, tick, sequence_id)
    tree.move_down(receipt, leaf, sequence_id)
    return leaf


def _add_leaf(
    tree: "RadixTree",
    parent: Node,
    tokens: Tokens,
    block_ids: BlockIds,
    tick: int,
    sequence_id: int | None,
) -> Node:
    """Hang a new leaf below `parent`. The caller locks it or counts it as evictable."""
    step = tree.block_bytes
    edge = tokens.view[parent.end * step : (parent.end + len(block_ids)) * step]
    if parent.evictable:
        tree.policy.on_protected(parent)  # no leaf any more
    leaf = Node(tree.new_id(), parent, parent.namespace, compact(edge), block_ids.copy())
    leaf.tick = tick
    parent.children[bytes(edge[:step])] = leaf
    parent.num_resident_children += 1
    if parent.parent is None:
        tree.roots.setdefault(parent.namespace, parent)
    tree.num_nodes += 1
    tree.num_blocks += len(block_ids)
    tree.policy.on_insert(leaf, tick)
    if tree.emit:
        tree.emit(BlockStored(*_stored(tree, leaf, len(block_ids), tokens, sequence_id)))
    return leaf


def _replace_host_copy(
    tree: "RadixTree",
    node: Node,
    tokens: Tokens,
    block_ids: BlockIds,
    tick: int,
    sequence_id: int | None,
) -> None:
    """Bring a node of the host to the device with blocks computed anew; give the host's back."""
    assert tree.give_back_host is not None
    tree.give_back_host(node.block_ids)
    to_device(tree, node, block_ids.copy(), tick)
    if tree.emit:
        tree.emit(BlockStored(*_stored(tree, node, len(block_ids), tokens, sequence_id)))


def _stored(
    tree: "RadixTree", node: Node, num_blocks: int, tokens: Tokens, sequence_id: int | None
) -> tuple[Any, ...]:
    """Return `BlockStored`'s fields for the last `num_blocks` blocks of a node."""
    start, stop = (node.end - num_blocks) * tree.block_size, node.end * tree.block_size
    literal = None if sequence_id is not None else tuple(tokens.token_ids[start:stop].tolist())
    parent_id = node.parent.id if node.parent and node.parent.parent else None
    runs = to_runs(node.block_ids[-num_blocks:])
    where = (node.id, parent_id, node.namespace, sequence_id, start)
    return (*tree.stamp(), *where, runs, node.tick, literal)
