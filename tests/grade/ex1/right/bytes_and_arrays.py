"""Edges are NumPy arrays, children keyed by bytes; a lock counts its own node and is summed up."""

import numpy as np

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class Edge:
    count = 0

    def __init__(self, above, tokens, blocks):
        self.above, self.tokens, self.blocks = above, tokens, blocks
        self.below, self.held = {}, 0
        Edge.count += 1
        self.name = f"edge {Edge.count}"


class Handle:
    def __init__(self, edge):
        self.edge, self.used = edge, False


class RadixTree:
    def __init__(self, block_size):
        self.size = block_size
        self.root = Edge(None, np.empty((0, block_size), np.int64), np.empty(0, np.int64))

    def _walk_down(self, blocks):
        edge, done, ids = self.root, 0, []
        while done < len(blocks) and (child := edge.below.get(blocks[done].tobytes())):
            both = min(len(child.tokens), len(blocks) - done)
            same = (child.tokens[:both] == blocks[done : done + both]).all(axis=1)
            shared = both if same.all() else int(same.argmin())
            ids.append(child.blocks[:shared])
            edge, done = child, done + shared
            if shared < len(child.tokens):
                return self._cut(child, shared), done, ids
        return edge, done, ids

    def _cut(self, edge, at):
        top = Edge(edge.above, edge.tokens[:at], edge.blocks[:at])
        top.above.below[top.tokens[0].tobytes()] = top
        edge.above, edge.tokens, edge.blocks = top, edge.tokens[at:], edge.blocks[at:]
        top.below[edge.tokens[0].tobytes()] = edge
        return top

    def _as_blocks(self, tokens):
        whole = len(tokens) // self.size
        return np.array(tokens[: whole * self.size], np.int64).reshape(whole, self.size)

    def match_prefix(self, tokens):
        edge, _, ids = self._walk_down(self._as_blocks(tokens))
        return Match(edge, np.concatenate([self.root.blocks, *ids]))

    def insert(self, tokens, block_ids):
        blocks, mine = self._as_blocks(tokens), np.array(block_ids, np.int64)
        edge, done, ids = self._walk_down(blocks)
        if done < len(blocks):
            new = Edge(edge, blocks[done:], mine[done:])
            edge.below[blocks[done].tobytes()] = new
            edge, ids = new, [*ids, new.blocks]
        kept = np.concatenate([self.root.blocks, *ids])
        return InsertResult(edge, kept, done, mine[mine != kept])

    def lock(self, edge):
        edge.held += 1
        return Handle(edge)

    def unlock(self, handle):
        assert not handle.used, "used before"
        handle.used = True
        handle.edge.held -= 1

    def _order(self):
        order = [self.root]
        for edge in order:
            order += edge.below.values()
        return order[1:]

    def evict(self, num_blocks):
        gone = []
        for edge in reversed(self._order()):
            take = min(len(edge.blocks), num_blocks - len(gone))
            if edge.below or edge.held or not take:
                continue
            keep = len(edge.blocks) - take
            gone += edge.blocks[keep:].tolist()
            if not keep:
                del edge.above.below[edge.tokens[0].tobytes()]
            edge.tokens, edge.blocks = edge.tokens[:keep], edge.blocks[:keep]
        return gone

    def _locks(self):
        locks = {}
        for edge in reversed(self._order()):
            locks[edge] = edge.held + sum(locks[child] for child in edge.below.values())
        return locks

    def walk(self):
        locks = self._locks()
        for edge in self._order():
            above = None if edge.above is self.root else edge.above.name
            yield NodeView(edge.name, above, edge.tokens.ravel(), edge.blocks, locks[edge])

    def stats(self):
        counts = dict.fromkeys((0, 1, 2), 0)
        for edge, locks in self._locks().items():
            counts[min(locks, 2)] += len(edge.blocks)
        return TreeStats(len(self._order()), counts[2], counts[1], counts[0])
