"""Whether a remote tree agrees with itself, and a naive reader of the same events."""

from collections import Counter

from radixlab.observe import fold
from radixlab.observe.kv.forest import ORPHAN
from radixlab.observe.kv_events import Cleared, RemoteTree, Stored


class Followed:
    """A remote tree, and the state that its events lead to."""

    def __init__(self, **options) -> None:
        options = {"num_blocks": 64, "block_size": 2} | options
        self.tree = RemoteTree(**options)
        self.state = self.tree.snapshot()
        self.numbers = []
        self.tree.emit = self.hear

    def hear(self, event) -> None:
        self.numbers.append(event.seq)
        fold(self.state, event)

    def check(self) -> None:
        """Raise if anything disagrees: the tree with itself, or with its events."""
        check_structure(self.tree)
        assert self.state == self.tree.snapshot()
        assert self.numbers == list(range(len(self.numbers)))


def check_structure(tree: RemoteTree) -> None:
    forest, shards = tree._forest, tree._intake.shards.values()
    used = Counter()
    ids = set()
    for shard in shards:
        named = set()
        for home in (shard.roots, shard.orphans):
            for key, root in home.items():
                assert root.children, key
                assert root.home[0] is home and root.home[1] == key
        assert not shard.orphans.keys() & shard.blocks.keys()
        for node in shard.nodes():
            assert node.blocks and node.parent.children[node.key] is node
            assert node.id not in ids
            ids.add(node.id)
            for index, block in enumerate(node.blocks):
                assert block.node is node and block.index == index
                assert (block.copies > 0) == node.resident and (block.copies or block.media)
                assert all(shard.blocks[name] is block for name in block.hashes)
                named |= set(block.hashes)
                used[node.resident, block.id] += 1
        assert named == shard.blocks.keys()
    assert set(used.values()) <= {1}
    assert sum(on_device for on_device, _ in used) == forest.device.num_used
    assert len(used) == tree.num_cached_blocks
    views = list(tree.walk())
    known = {None}
    for view in views:
        assert view.parent_id in known
        known.add(view.id)
    top = [v for v in views if v.namespace and v.namespace[0].endswith(ORPHAN)]
    assert tree.num_orphans == sum(len(view.block_ids) for view in top)


class Naive:
    """A dictionary of blocks by hash; a look-up scans it. No tree, no order, no media but names."""

    def __init__(self, block_size: int = 2) -> None:
        self.size = block_size
        self.blocks = {}

    def hear(self, event) -> None:
        if isinstance(event, Cleared):
            self.blocks.clear()
        elif isinstance(event, Stored):
            parent = event.parent_block_hash
            for i, name in enumerate(event.block_hashes):
                tokens = tuple(event.token_ids[i * self.size : (i + 1) * self.size])
                self.blocks.setdefault(name, (parent, tokens, set()))[2].add(event.medium)
                parent = name
        else:
            for name in event.block_hashes:
                if name in self.blocks:
                    self.blocks[name][2].discard(event.medium)
                    if not self.blocks[name][2]:
                        del self.blocks[name]

    def num_cached_tokens(self, tokens) -> int:
        parent, found = None, 0
        while found + self.size < len(tokens):
            block = tuple(tokens[found : found + self.size])
            child = [n for n, (p, t, _) in self.blocks.items() if p == parent and t == block]
            if not child:
                break
            parent, found = child[0], found + self.size
        return found
