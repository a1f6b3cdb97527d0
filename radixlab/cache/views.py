"""The public view of a tree: its nodes in order, frozen views of them, and counts."""

from collections.abc import Iterable, Iterator
from operator import attrgetter

from radixlab.cache.node import Node
from radixlab.cache.results import NodeView, TreeStats


def walk_nodes(roots: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes below the roots, parents first, children in order of insertion."""
    stack = [child for root in roots for child in root.children.values()][::-1]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children.values())


def node_views(nodes: list[Node]) -> Iterator[NodeView]:
    """Yield a view of each node; `nodes` come parents first."""
    lock_ref = lock_refs(nodes)
    for node in nodes:
        yield NodeView(
            node.id,
            node.parent.id if node.parent and node.parent.parent else None,
            node.namespace,
            tuple(node.tokens.tolist()),
            tuple(node.block_ids.tolist()),
            lock_ref[node.id],
            node.num_hits,
            node.tick,
            node.resident,
        )


def tree_stats(nodes: list[Node]) -> TreeStats:
    """Count nodes, and blocks by the receipts that hold them; `nodes` come parents first."""
    lock_ref, held_by = lock_refs(nodes), [0, 0, 0]  # blocks held by no receipt, by one, by more
    for node in filter(attrgetter("resident"), nodes):
        held_by[min(lock_ref[node.id], 2)] += node.num_blocks
    cached, unique, shared = held_by
    return TreeStats(len(nodes), shared, unique, cached)


def lock_refs(nodes: list[Node]) -> dict[int, int]:
    """Count the receipts at or below each node, by node id; `nodes` come parents first."""
    lock_ref = {node.id: node.num_receipts for node in nodes}
    for node in reversed(nodes):  # children before parents
        if node.parent is not None and node.parent.id in lock_ref:
            lock_ref[node.parent.id] += lock_ref[node.id]
    return lock_ref
