"""The invariants of the cache as code: tests call `check(manager)` after every operation.

The first invariant is conservation: every block of the pool is exactly one of free, tree-owned,
private, or in transfer. This holds for the device and for the host.
"""

from collections import Counter
from collections.abc import Iterator

from radixlab.cache.errors import InvariantError
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Node
from radixlab.cache.tokens import TOKEN_BYTES
from radixlab.cache.tree import RadixTree
from radixlab.escape import count


def check(manager: KVCacheManager) -> None:
    """Raise `InvariantError` with one line per violation; return None if there is none."""
    problems = [
        *_conservation(manager),
        *_host(manager),
        *_structure(manager.tree),
        *_tiers(manager.tree),
        *_counters(manager.tree),
        *_locks(manager),
        *_tables(manager),
        *_leaves(manager.tree),
    ]
    _raise_for(problems)


def check_tree(tree: RadixTree, receipts: Counter[int]) -> None:
    """Check a tree without a manager, as it stands behind another engine.

    `receipts` are the held ones, counted by the `id` of their node. Raises as `check` does.
    """
    problems = [
        *_structure(tree),
        *_tiers(tree),
        *_counters(tree),
        *_receipts(tree, receipts),
        *_leaves(tree),
    ]
    _raise_for(problems)


def _raise_for(problems: list[str]) -> None:
    if problems:
        raise InvariantError(
            f"{count(len(problems), 'invariant')} broken:\n"
            + "\n".join(f"- {problem}" for problem in problems)
        )


def owners(manager: KVCacheManager) -> dict[int, list[str]]:
    """Find the owner of every device block: the free list, a node, sequences, or a transfer."""
    found: dict[int, list[str]] = {block: [] for block in range(manager.config.num_blocks)}
    for block in manager.allocator.free_ids().tolist():
        found.setdefault(block, []).append("free")
    for node, block in _tree_blocks(manager.tree, resident=True):
        found.setdefault(block, []).append(f"node {node.id}")
    private: dict[int, list[int]] = {}
    for sequence in manager.sequences.values():
        for block in sequence.block_table[sequence.node.end :].tolist():
            private.setdefault(block, []).append(sequence.id)
    for block, ids in private.items():
        found.setdefault(block, []).append(f"sequence {' and '.join(map(str, ids))}")
    for transfer in manager.transfers:
        for block in transfer.device_blocks:
            if not found[block]:
                found[block].append(f"{transfer.kind} {transfer.src} to {transfer.dst}")
    return found


def _tree_blocks(tree: RadixTree, resident: bool) -> Iterator[tuple[Node, int]]:
    """Yield every tree-owned block of one tier with its node."""
    for node in tree.nodes():
        if node.resident is resident:
            for block in node.block_ids.tolist():
                yield node, block


def _conservation(manager: KVCacheManager) -> Iterator[str]:
    for block, who in owners(manager).items():
        if not 0 <= block < manager.config.num_blocks:
            yield f"block {block} ({', '.join(who)}) is outside the pool"
        elif not who:
            yield f"block {block} has leaked: it is not free, and has no owner"
        elif len(who) > 1:
            yield f"block {block} has {len(who)} owners: {', '.join(who)}"
    expected = _expected_holders(manager)
    for block in range(manager.config.num_blocks):
        said, right = manager.allocator.ref_count(block), expected[block]
        if said != right:
            yield f"block {block} has ref_count {said}, but {count(right, 'holds', 'hold')} it"


def _expected_holders(manager: KVCacheManager) -> Counter[int]:
    """Count the references to each device block.

    The tree holds one. So does each table in which the block is private, and each transfer that has
    it as an end. Load-backs, and copies from tree-owned blocks, hold a lock instead.
    """
    in_tree = {block for _, block in _tree_blocks(manager.tree, resident=True)}
    holders = Counter(in_tree)
    for sequence in manager.sequences.values():
        holders.update(sequence.block_table[sequence.node.end :].tolist())
    for transfer in manager.transfers:
        if transfer.kind == "write_back":
            holders[transfer.src] += 1
        elif transfer.kind == "copy":
            holders[transfer.dst] += 1
            holders[transfer.src] += transfer.src not in in_tree
    return holders


def _host(manager: KVCacheManager) -> Iterator[str]:
    """Check that each host block is free, owned by a node or held by transfers, and counted so."""
    if manager.host is None:
        return
    pool, leaves = manager.host.allocator, manager.host.leaves
    holders = Counter(block for _, block in _tree_blocks(manager.tree, resident=False))
    if holders and max(holders.values()) > 1:
        yield f"nodes share host blocks: {[b for b, num in holders.items() if num > 1]}"
    holders.update(block for transfer in manager.transfers for block in transfer.host_blocks)
    for block in range(pool.num_blocks):
        said, right = pool.ref_count(block), holders[block]
        if said != right:
            yield f"host block {block} has ref_count {said}, but {count(right, 'holds', 'hold')} it"
    for node in manager.tree.nodes():
        if node.droppable and node not in leaves and node not in manager.host.busy:
            yield f"node {node.id}  is a host leaf that can never be dropped"


def _tiers(tree: RadixTree) -> Iterator[str]:
    for node in [*tree.roots.values(), *tree.nodes()]:
        resident = sum(child.resident for child in node.children.values())
        if resident != node.num_resident_children:
            counted = count(node.num_resident_children, "child", "children")
            yield f"node {node.id} counts {counted} on the device, and has {resident}"
        if not node.resident and (resident or node.locked):
            below = count(resident, "child", "children")
            yield f"node {node.id} is on the host, with {below} on the device or locked"


def _structure(tree: RadixTree) -> Iterator[str]:
    nodes = list(tree.nodes())
    for node in [*tree.roots.values(), *nodes]:
        for key, child in node.children.items():
            if child.parent is not node:
                yield f"node {child.id}, a child of {node.id}, names {child.parent} as parent"
            if key != bytes(child.edge[: TOKEN_BYTES * tree.block_size]):
                yield f"node {child.id} is filed under a key that is not its first block"
    for node in nodes:
        if not node.alive or not node.num_blocks:
            yield f"node {node.id} is in the tree, but is {'empty' if node.alive else 'gone'}"
        lengths = (len(node.block_ids), len(node.edge) / tree.block_size / TOKEN_BYTES)
        if lengths != (node.num_blocks, node.num_blocks):
            has = count(node.num_blocks, "block")
            yield f"node {node.id} has {has}, but ids and tokens for {lengths}"
        if node.parent and node.end != node.parent.end + node.num_blocks:
            end = count(node.end, "block")
            yield f"node {node.id} ends at {end}, its parent at {node.parent.end}"


def _counters(tree: RadixTree) -> Iterator[str]:
    nodes = list(tree.nodes())
    resident = [node for node in nodes if node.resident]
    evictable = sum(node.num_blocks for node in resident if not node.locked)
    counted = (len(nodes), sum(node.num_blocks for node in resident), evictable)
    said = (tree.num_nodes, tree.num_blocks, tree.num_evictable_blocks)
    if counted != said:
        yield f"(nodes, blocks, evictable blocks) are {counted}, the tree says {said}"


def _locks(manager: KVCacheManager) -> Iterator[str]:
    receipts = Counter(id(s.receipt.node) for s in manager.sequences.values())
    receipts.update(id(node) for node in manager.transit.locked_nodes())
    receipts.update(id(node) for node in manager.pins.nodes())
    yield from _receipts(manager.tree, receipts)


def _receipts(tree: RadixTree, receipts: Counter[int]) -> Iterator[str]:
    for node in [*tree.roots.values(), *tree.nodes()]:
        locked_children = sum(child.locked for child in node.children.values())
        if node.num_locked_children != locked_children:
            counted = count(node.num_locked_children, "locked child", "locked children")
            yield f"node {node.id} counts {counted}, {count(locked_children, 'is', 'are')}"
        if node.num_receipts != receipts[id(node)]:
            held = count(receipts[id(node)], "is", "are")
            yield f"node {node.id} has {count(node.num_receipts, 'receipt')}, {held} held"


def _tables(manager: KVCacheManager) -> Iterator[str]:
    """Check that each block table begins with its locked path, and that their tokens agree."""
    for sequence in manager.sequences.values():
        path = list(reversed(sequence.node.path()))
        blocks = [block for node in path for block in node.block_ids.tolist()]
        if sequence.block_table[: len(blocks)].tolist() != blocks:
            table = sequence.block_table.tolist()
            yield f"sequence {sequence.id}: table {table} does not begin with its path {blocks}"
        tokens = [token for node in path for token in node.tokens.tolist()][: sequence.num_tokens]
        if sequence.token_ids[: len(tokens)].tolist() != tokens:
            yield f"sequence {sequence.id}: its path, to node {path[-1].id}, holds other tokens"
        if len(sequence.block_table) * manager.config.block_size < sequence.num_tokens:
            blocks_of = count(len(sequence.block_table), "block")
            yield f"sequence {sequence.id}: {blocks_of} for {count(sequence.num_tokens, 'token')}"


def _leaves(tree: RadixTree) -> Iterator[str]:
    """Check that unlocked leaves are marked, and that the policy finds a victim if there is one."""
    for node in [*tree.roots.values(), *tree.nodes()]:
        on_device = node.resident and node.num_blocks > 0
        is_leaf = on_device and not any(child.resident for child in node.children.values())
        if node.evictable != (is_leaf and not node.locked):
            is_marked = "is" if node.evictable else "is not"
            yield f"node {node.id} {is_marked} marked as an unlocked leaf, against what it is"
    evictable: list[Node] = [node for node in tree.nodes() if node.evictable]
    victim = tree.policy.victim()
    if evictable and victim is None:
        leaves = count(len(evictable), "leaf is", "leaves are")
        yield f"the policy sees no victim, but {leaves} evictable"
    elif victim is not None and victim not in evictable:
        yield f"the policy would evict node {victim.id}, which is not an unlocked leaf of the tree"
