"""The learner's tree as its `walk` and `stats` show it, against the ledger.

Every answer has been compared when it was given. This comparison finds what no answer has shown
yet: blocks that are lost or still there, locks that never reached an ancestor, wrong counts.
"""

from collections import Counter
from typing import Any

from radixlab.cache.manager import KVCacheManager
from radixlab.escape import count
from radixlab.events import Namespace
from radixlab.yours.asked import AskedTree
from radixlab.yours.own_trees import OwnTrees

Row = list[Any]


def compare(manager: KVCacheManager, own: OwnTrees) -> None:
    """Compare every namespace's tree; raise `PartFault` at the first difference."""
    locks = Counter[tuple[int, int]]()
    for held in own.receipts():
        locks.update((id(held.tree), block) for block in held.blocks)
    for namespace, tree in own.trees.items():
        rows = tree.rows(manager.config.num_blocks)
        cached = _cached(manager, namespace)
        _blocks(tree, rows, cached)
        _structure(tree, rows, cached)
        _locks(tree, rows, locks)
        _stats(tree, rows)


def _cached(manager: KVCacheManager, namespace: Namespace | None) -> dict[int, tuple[int, ...]]:
    """Return the tokens from the root to the end of each cached block, by block."""
    found: dict[int, tuple[int, ...]] = {}
    size = manager.config.block_size
    above: dict[int, tuple[int, ...]] = {}
    for node in manager.tree.nodes():
        if node.namespace != namespace:
            continue
        path = above.get(node.parent.id, ()) if node.parent else ()
        for k, block in enumerate(node.block_ids.tolist()):
            path += tuple(node.tokens[k * size : (k + 1) * size].tolist())
            found[block] = path
        above[node.id] = path
    return found


def _blocks(tree: AskedTree, rows: list[Row], cached: dict[int, Any]) -> None:
    ids = [block for row in rows for block in tree.numbers("walk", "block_ids", row[3])]
    twice = [block for block, num in Counter(ids).items() if num > 1]
    if twice:
        raise tree.fault("M8", f"block {twice[0]} is in the tree twice")
    lost = sorted(cached.keys() - set(ids))
    if lost:
        raise tree.fault("L9", f"block {lost[0]} is lost: no node has it")
    strange = [block for block in ids if block not in cached]
    if strange:
        raise tree.fault("E6", f"block {strange[0]} is still in the tree, but was evicted or freed")


def _structure(tree: AskedTree, rows: list[Row], cached: dict[int, tuple[int, ...]]) -> None:
    """Compare the tokens above each block with the tokens whose KV it holds."""
    size = tree.block_size
    paths: dict[Any, tuple[Any, ...]] = {None: ()}
    for number, parent, tokens, block_ids, _ in rows:
        if parent not in paths:
            raise tree.fault("T5", f"node {number} comes before its parent")
        if type(tokens) is not list:
            raise tree.fault("T5", f"tokens must be token ids, and is {tokens}")
        if not block_ids or len(tokens) != size * len(block_ids):
            has = f"{count(len(tokens), 'token')} for {count(len(block_ids), 'block')}"
            raise tree.fault("M12", f"node {number} has {has} of size {size}")
        path = paths[parent]
        for k, block in enumerate(block_ids):
            path = (*path, *tokens[k * size : (k + 1) * size])
            if path != cached[block]:
                raise tree.fault("M8", f"block {block} stands under other tokens than it holds")
        paths[number] = path


def _locks(tree: AskedTree, rows: list[Row], locks: Counter[tuple[int, int]]) -> None:
    for number, _, _, block_ids, lock_ref in rows:
        if type(lock_ref) is not int:
            what = f"node {number} has lock_ref {lock_ref}, which must be a whole number"
            raise tree.fault("T5", what)
        for block in block_ids:
            right = locks[id(tree), block]
            if lock_ref != right:
                rule = "L1" if lock_ref < right else "L2"
                held = count(right, "receipt is", "receipts are")
                what = f"node {number} has lock_ref {lock_ref}, but {held} held on it or below"
                raise tree.fault(rule, what)


def _stats(tree: AskedTree, rows: list[Row]) -> None:
    held = [0, 0, 0]  # blocks of nodes with no receipt, with one, with more
    for row in rows:
        held[min(row[4], 2)] += len(row[3])
    cached, unique, shared = held
    right = {
        "num_nodes": len(rows),
        "num_shared_blocks": shared,
        "num_unique_blocks": unique,
        "num_cached_blocks": cached,
        "sharing_ratio": shared / (shared + unique) if shared + unique else 0.0,
    }
    found = tree.stats()
    for name, value in right.items():
        if found[name] != value:
            raise tree.fault("T6", f"{name} is {found[name]}; it should be {value}")
