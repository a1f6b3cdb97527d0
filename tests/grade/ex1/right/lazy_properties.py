"""Results are live objects that look their fields up when they are read; nodes are dataclasses.

These dataclasses compare by value and cannot be hashed, and their parents lead back to them.
"""

from dataclasses import dataclass, field


@dataclass
class Node:
    parent: object
    tokens: tuple
    block_ids: list
    children: dict = field(default_factory=dict)
    own_locks: int = 0

    @property
    def locks(self):
        return self.own_locks + sum(child.locks for child in self.children.values())

    @property
    def path(self):
        return [] if self.parent is None else [*self.parent.path, *self.block_ids]


class Result:
    def __init__(self, node, cached=0, offered=()):
        self.node, self._offered, self.num_cached_blocks = node, offered, cached

    @property
    def block_ids(self):
        return self.node.path

    @property
    def duplicate_block_ids(self):
        return [
            mine for mine, own in zip(self._offered, self.block_ids, strict=True) if mine != own
        ]


class View:
    def __init__(self, node):
        self._node = node

    @property
    def id(self):
        return self._node

    @property
    def parent_id(self):
        above = self._node.parent
        return None if above.parent is None else above

    @property
    def tokens(self):
        return list(self._node.tokens)

    @property
    def block_ids(self):
        return self._node.block_ids

    @property
    def lock_ref(self):
        return self._node.locks


class Stats:
    def __init__(self, tree):
        views = list(tree.walk())
        self.num_nodes = len(views)
        self._blocks = [(view.lock_ref, len(view.block_ids)) for view in views]

    @property
    def num_shared_blocks(self):
        return sum(n for locks, n in self._blocks if locks > 1)

    @property
    def num_unique_blocks(self):
        return sum(n for locks, n in self._blocks if locks == 1)

    @property
    def num_cached_blocks(self):
        return sum(n for locks, n in self._blocks if not locks)

    @property
    def sharing_ratio(self):
        used = self.num_shared_blocks + self.num_unique_blocks
        return self.num_shared_blocks / used if used else 0


class RadixTree:
    def __init__(self, block_size):
        self.size, self.root = block_size, Node(None, (), [])

    def find(self, tokens):
        node, at, size = self.root, 0, self.size
        while child := node.children.get(tokens[at : at + size]):
            end = size
            while (
                end < len(child.tokens)
                and child.tokens[end : end + size] == tokens[at + end : at + end + size]
            ):
                end += size
            node, at = child, at + end
            if end < len(child.tokens):
                return self.cut(child, end), at
        return node, at

    def cut(self, node, end):
        num = end // self.size
        lower = Node(node, node.tokens[end:], node.block_ids[num:], node.children, node.own_locks)
        for child in lower.children.values():
            child.parent = lower
        for receipt in self.receipts.get(id(node), ()):
            receipt[0] = lower
        self.receipts[id(lower)] = self.receipts.pop(id(node), [])
        node.tokens, node.block_ids = node.tokens[:end], node.block_ids[:num]
        node.children, node.own_locks = {lower.tokens[: self.size]: lower}, 0
        return node

    @property
    def receipts(self):
        return vars(self).setdefault("_receipts", {})

    def match_prefix(self, tokens):
        return Result(self.find(tokens)[0])

    def insert(self, tokens, block_ids):
        node, at = self.find(tokens)
        cached, whole = at // self.size, len(block_ids) * self.size
        if at < whole:
            child = Node(node, tokens[at:whole], [*block_ids[cached:]])
            node.children[child.tokens[: self.size]] = child
            node = child
        return Result(node, cached, block_ids)

    def lock(self, node):
        receipt = [node]
        node.own_locks += 1
        self.receipts.setdefault(id(node), []).append(receipt)
        return receipt

    def unlock(self, receipt):
        (node,) = receipt
        receipt.clear()
        node.own_locks -= 1
        self.receipts[id(node)] = [r for r in self.receipts[id(node)] if r is not receipt]

    def nodes(self, node):
        for child in node.children.values():
            yield child
            yield from self.nodes(child)

    def evict(self, num_blocks):
        gone = []
        for node in [*self.nodes(self.root)][::-1]:
            while (
                len(gone) < num_blocks and node.block_ids and not node.locks and not node.children
            ):
                first = node.tokens[: self.size]
                gone.append(node.block_ids.pop())
                node.tokens = node.tokens[: -self.size]
                if not node.block_ids:
                    del node.parent.children[first]
                    self.receipts.pop(id(node), None)
        return gone

    def walk(self):
        yield from map(View, self.nodes(self.root))

    def stats(self):
        return Stats(self)
