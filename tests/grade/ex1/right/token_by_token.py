"""Everything by recursion: a block is compared token by token, a path goes down call by call."""

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class Leaf:
    """A block, below its tokens: in a trie of single tokens that only blocks end."""

    def __init__(self, block, block_id, parent):
        self.block, self.block_id, self.parent = block, block_id, parent
        self.trie, self.locks = {}, 0


def look(trie, block, i):
    if i == len(block):
        return trie
    below = trie.get(block[i])
    return None if below is None else look(below, block, i + 1)


def put(trie, block, i, leaf):
    if i == len(block) - 1:
        trie[block[i]] = leaf
    else:
        put(trie.setdefault(block[i], {}), block, i + 1, leaf)


def drop(trie, block, i):
    if i < len(block) - 1:
        drop(trie[block[i]], block, i + 1)
    if i == len(block) - 1 or not trie[block[i]]:
        del trie[block[i]]


def leaves(trie):
    for value in trie.values():
        if isinstance(value, Leaf):
            yield value
        else:
            yield from leaves(value)


class RadixTree:
    def __init__(self, block_size):
        self.block_size = block_size
        self.root = Leaf((), None, None)

    def match_prefix(self, tokens):
        return Match(*self._match(self.root, tokens, 0, []))

    def _match(self, node, tokens, start, ids):
        block = tokens[start : start + self.block_size]
        below = look(node.trie, block, 0) if len(block) == self.block_size else None
        if below is None:
            return node, ids
        ids.append(below.block_id)
        return self._match(below, tokens, start + self.block_size, ids)

    def insert(self, tokens, block_ids):
        cached = len(self.match_prefix(tokens).block_ids)
        node, own = self._insert(self.root, tokens, 0, block_ids, [])
        return InsertResult(
            node, own, cached, [a for a, b in zip(block_ids, own, strict=True) if a != b]
        )

    def _insert(self, node, tokens, number, block_ids, own):
        if number == len(block_ids):
            return node, own
        block = tokens[number * self.block_size : (number + 1) * self.block_size]
        below = look(node.trie, block, 0)
        if below is None:
            below = Leaf(block, block_ids[number], node)
            put(node.trie, block, 0, below)
        return self._insert(below, tokens, number + 1, block_ids, [*own, below.block_id])

    def _count(self, node, by):
        if node is not None:
            node.locks += by
            self._count(node.parent, by)

    def lock(self, node):
        self._count(node, 1)
        return {node}

    def unlock(self, receipt):
        self._count(receipt.pop(), -1)

    def evict(self, num_blocks):
        gone = []
        self._evict(self.root, num_blocks, gone)
        return gone

    def _evict(self, node, num_blocks, gone):
        for child in [*leaves(node.trie)]:
            self._evict(child, num_blocks, gone)
            if len(gone) < num_blocks and not child.trie and not child.locks:
                drop(node.trie, child.block, 0)
                gone.append(child.block_id)

    def walk(self):
        yield from self._walk(self.root, None)

    def _walk(self, node, node_id):
        for child in leaves(node.trie):
            yield NodeView(child, node_id, child.block, [child.block_id], child.locks)
            yield from self._walk(child, child)

    def stats(self):
        locks = [min(view.lock_ref, 2) for view in self.walk()]
        return TreeStats(len(locks), locks.count(2), locks.count(1), locks.count(0))
