# loses: machine
# alone
# The block size belongs to the class of the nodes: with a second tree it changes for all.
from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class Node:
    size = 1

    def __init__(s, parent, key, bid):
        s.parent, s.key, s.bid, s.children, s.lock_ref = parent, key, bid, {}, 0


class RadixTree:
    def __init__(self, block_size):
        Node.size = block_size
        self.root = Node(None, (), None)
        self.used = set()
        self.held = {}
        self.n = 0

    def match_prefix(self, tokens):
        node, ids = self.root, []
        for i in range(0, len(tokens) - Node.size + 1, Node.size):
            c = node.children.get(tokens[i : i + Node.size])
            if c is None:
                break
            node = c
            ids.append(c.bid)
        return Match(node, ids)

    def insert(self, tokens, block_ids):
        m = self.match_prefix(tokens)
        node, ids, k = m.node, m.block_ids, len(m.block_ids)
        for j in range(k, len(block_ids)):
            b = tokens[j * Node.size : (j + 1) * Node.size]
            node = self._add(node, b, block_ids[j])
            ids.append(block_ids[j])
        return InsertResult(node, ids, k, [a for a, b in zip(block_ids, ids) if a != b])

    def _add(self, node, b, bid):
        c = Node(node, b, bid)
        node.children[b] = c
        return c

    def lock(self, node):
        self.n += 1
        self.held[self.n] = node
        while node:
            node.lock_ref += 1
            node = node.parent
        return self.n

    def unlock(self, r):
        node = self.held.pop(r)
        while node:
            node.lock_ref -= 1
            node = node.parent

    def nodes(self):
        f = [self.root]
        for n in f:
            f.extend(n.children.values())
        return f[1:]

    def evict(self, n):
        gone = []
        for node in reversed(self.nodes()):
            if len(gone) >= n:
                break
            if not node.children and not node.lock_ref:
                del node.parent.children[node.key]
                gone.append(node.bid)
        return gone

    def walk(self):
        for n in self.nodes():
            yield NodeView(
                n, None if n.parent is self.root else n.parent, n.key, [n.bid], n.lock_ref
            )

    def stats(self):
        c = [0, 0, 0]
        for n in self.nodes():
            c[min(n.lock_ref, 2)] += 1
        return TreeStats(sum(c), c[2], c[1], c[0])
