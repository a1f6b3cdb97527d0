"""Ids come back as iterators, ranges and generators; ids of nodes are whole prefixes, as tuples."""

from collections import namedtuple

Found = namedtuple("Found", "node block_ids")
Inserted = namedtuple("Inserted", "node block_ids num_cached_blocks duplicate_block_ids")
View = namedtuple("View", "id parent_id tokens block_ids lock_ref")
Stats = namedtuple(
    "Stats", "num_nodes num_shared_blocks num_unique_blocks num_cached_blocks sharing_ratio"
)


class Node(dict):
    """Children by block."""

    def __init__(self, parent=None, block=(), block_id=None):
        super().__init__()
        self.parent, self.block, self.block_id, self.receipts = parent, block, block_id, 0

    def up(self):
        node = self
        while node.parent is not None:
            yield node
            node = node.parent

    def prefix(self):
        return tuple(token for node in [*self.up()][::-1] for token in node.block)


class RadixTree:
    def __init__(self, block_size):
        self.block_size, self.root = block_size, Node()

    def blocks(self, tokens):
        ends = range(self.block_size, len(tokens) + 1, self.block_size)
        return (tokens[end - self.block_size : end] for end in ends)

    def path(self, tokens):
        node = self.root
        for block in self.blocks(tokens):
            node = node.get(block)
            if node is None:
                return
            yield node

    def match_prefix(self, tokens):
        path = [self.root, *self.path(tokens)]
        return Found(path[-1], (node.block_id for node in path[1:]))

    def insert(self, tokens, block_ids):
        cached = sum(1 for _ in self.path(tokens))
        node, own = self.root, []
        for block, block_id in zip(self.blocks(tokens), block_ids, strict=True):
            if block not in node:
                node[block] = Node(node, block, block_id)
            node = node[block]
            own.append(node.block_id)
        back = filter(lambda block_id: block_id not in own, block_ids)
        if own and own == list(range(own[0], own[0] + len(own))):
            own = range(own[0], own[0] + len(own))
        return Inserted(node, own, cached, back)

    def lock(self, node):
        """A receipt is a generator: it gives back what it took when it goes on."""

        def receipt():
            for each in node.up():
                each.receipts += 1
            yield "locked"
            for each in node.up():
                each.receipts -= 1
            yield "unlocked"

        held = receipt()
        next(held)
        return held

    def unlock(self, receipt):
        if next(receipt, "used") != "unlocked":
            raise StopIteration("used before")

    def evict(self, num_blocks):
        def ends():
            for node in sorted(self.nodes(), key=lambda node: -len(node.prefix())):
                if not node and not node.receipts:
                    yield node

        gone = []
        for node, _ in zip(ends(), range(num_blocks), strict=False):
            del node.parent[node.block]
            gone.append(node.block_id)
        return iter(gone)

    def nodes(self):
        todo = list(self.root.values())
        for node in todo:
            todo += node.values()
        return todo

    def walk(self):
        for node in self.nodes():
            above = node.parent.prefix() or None
            yield View(
                node.prefix(), above, iter(node.block), iter((node.block_id,)), node.receipts
            )

    def stats(self):
        shared, unique = (
            sum(test(node.receipts) for node in self.nodes())
            for test in (lambda n: n > 1, lambda n: n == 1)
        )
        cached = len(self.nodes()) - shared - unique
        return Stats(len(self.nodes()), shared, unique, cached, shared / max(shared + unique, 1))
