"""Long edges with slots; ids are NumPy integers, receipts small objects, the oldest leaf goes."""

import numpy as np

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class Edge:
    __slots__ = ("above", "below", "blocks", "ids", "locks", "name")

    def __init__(self, name, above, blocks, ids):
        self.name, self.above, self.blocks, self.ids = np.int64(name), above, blocks, ids
        self.below, self.locks = {}, 0


class Receipt:
    __slots__ = ("edge",)

    def __init__(self, edge):
        self.edge = edge


class RadixTree:
    __slots__ = ("count", "root", "size")

    def __init__(self, block_size):
        self.size, self.count = block_size, 0
        self.root = Edge(-1, None, [], [])

    def _new(self, above, blocks, ids):
        self.count += 1
        edge = above.below[blocks[0]] = Edge(self.count, above, blocks, ids)
        return edge

    def _blocks(self, tokens):
        size = self.size
        return [tokens[i * size : i * size + size] for i in range(len(tokens) // size)]

    def _descend(self, blocks):
        edge, done = self.root, 0
        while done < len(blocks) and blocks[done] in edge.below:
            edge = edge.below[blocks[done]]
            same = 0
            for mine, other in zip(edge.blocks, blocks[done:], strict=False):
                if mine != other:
                    break
                same += 1
            done += same
            if same < len(edge.blocks):
                upper = self._new(edge.above, edge.blocks[:same], edge.ids[:same])
                upper.locks, upper.below = edge.locks, {edge.blocks[same]: edge}
                edge.above, edge.blocks, edge.ids = upper, edge.blocks[same:], edge.ids[same:]
                return upper, done
        return edge, done

    def _ids(self, edge):
        parts = []
        while edge is not self.root:
            parts.append(edge.ids)
            edge = edge.above
        return np.array([i for part in reversed(parts) for i in part], dtype=np.int32)

    def match_prefix(self, tokens):
        edge, _ = self._descend(self._blocks(tokens))
        return Match(edge, self._ids(edge))

    def insert(self, tokens, block_ids):
        blocks = self._blocks(tokens)
        edge, done = self._descend(blocks)
        if done < len(blocks):
            edge = self._new(edge, blocks[done:], list(block_ids[done:]))
        own = self._ids(edge)
        return InsertResult(edge, own, np.int32(done), np.array(block_ids, int)[own != block_ids])

    def lock(self, edge):
        receipt = Receipt(edge)
        while edge is not None:
            edge.locks += 1
            edge = edge.above
        return receipt

    def unlock(self, receipt):
        edge = receipt.edge
        del receipt.edge  # a second time there is none: AttributeError
        while edge is not None:
            edge.locks -= 1
            edge = edge.above

    def evict(self, num_blocks):
        gone = []
        while len(gone) < num_blocks:
            leaves = [e for e in self._edges() if not e.below and not e.locks]
            if not leaves:
                break
            leaf = min(leaves, key=lambda edge: edge.name)
            while leaf.ids and len(gone) < num_blocks:
                gone.append(leaf.ids.pop())
                block = leaf.blocks.pop()
            if not leaf.ids:
                del leaf.above.below[block]
        return tuple(gone)

    def _edges(self):
        stack = [self.root]
        while stack:
            edge = stack.pop()
            stack.extend(edge.below.values())
            if edge.above is not None:
                yield edge

    def walk(self):
        for edge in self._edges():
            above = None if edge.above is self.root else np.int64(edge.above.name)
            tokens = np.array(edge.blocks).ravel()
            yield NodeView(edge.name, above, tokens, np.array(edge.ids), np.int64(edge.locks))

    def stats(self):
        count = np.zeros(3, int)
        num_nodes = 0
        for edge in self._edges():
            count[min(edge.locks, 2)] += len(edge.ids)
            num_nodes += 1
        return TreeStats(num_nodes, count[2], count[1], count[0])
