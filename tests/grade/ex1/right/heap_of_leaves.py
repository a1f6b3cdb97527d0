"""Long edges; the leaf that was used the longest ago goes first, by a heap."""

import heapq
import itertools

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class Node:
    def __init__(self, parent, tokens, block_ids, locks=0):
        self.parent, self.tokens, self.block_ids, self.locks = parent, tokens, block_ids, locks
        self.children, self.time = {}, 0


class RadixTree:
    def __init__(self, block_size):
        self.size = block_size
        self.root = Node(None, (), [])
        self.clock = itertools.count(1)
        self.open_receipts = {}

    def _touch(self, node):
        node.time = next(self.clock)

    def _same(self, child, tokens, start):
        for i in range(self.size, len(child.tokens), self.size):
            if tokens[start + i : start + i + self.size] != child.tokens[i : i + self.size]:
                return i
        return len(child.tokens)

    def _descend(self, tokens):
        node, start = self.root, 0
        while child := node.children.get(tokens[start : start + self.size]):
            same = self._same(child, tokens, start)
            if same < len(child.tokens):
                child = self._split(child, same)
            node, start = child, start + same
        return node, start // self.size

    def _split(self, lower, at):
        head, ids = lower.tokens[:at], lower.block_ids[: at // self.size]
        upper = Node(lower.parent, head, ids, lower.locks)
        lower.parent.children[head[: self.size]] = upper
        lower.parent, lower.tokens = upper, lower.tokens[at:]
        lower.block_ids = lower.block_ids[at // self.size :]
        upper.children[lower.tokens[: self.size]] = lower
        upper.time = lower.time
        return upper

    def _path_ids(self, node):
        parts = []
        while node.parent:
            parts.append(node.block_ids)
            node = node.parent
        return list(itertools.chain.from_iterable(reversed(parts)))

    def match_prefix(self, tokens):
        node, _ = self._descend(tokens)
        self._touch(node)
        return Match(node, self._path_ids(node))

    def insert(self, tokens, block_ids):
        node, cached = self._descend(tokens)
        if cached < len(block_ids):
            rest = tokens[cached * self.size : len(block_ids) * self.size]
            child = Node(node, rest, list(block_ids[cached:]))
            node.children[rest[: self.size]] = child
            node = child
        self._touch(node)
        own = self._path_ids(node)
        return InsertResult(
            node, own, cached, [m for m, o in zip(block_ids, own, strict=True) if m != o]
        )

    def lock(self, node):
        receipt = object()
        self.open_receipts[receipt] = node
        for each in self._up(node):
            each.locks += 1
        return receipt

    def unlock(self, receipt):
        node = self.open_receipts.pop(receipt)
        for each in self._up(node):
            each.locks -= 1
        self._touch(node)

    def _up(self, node):
        while node:
            yield node
            node = node.parent

    def evict(self, num_blocks):
        gone = []
        heap = [(node.time, id(node), node) for node in self._all()]
        heapq.heapify(heap)
        while heap and len(gone) < num_blocks:
            *_, node = heapq.heappop(heap)
            if node.children or node.locks or not node.block_ids:
                continue
            take = min(num_blocks - len(gone), len(node.block_ids))
            keep = len(node.block_ids) - take
            gone.extend(node.block_ids[keep:])
            first = node.tokens[: self.size]
            node.tokens, node.block_ids = node.tokens[: keep * self.size], node.block_ids[:keep]
            if not keep:
                del node.parent.children[first]
                if node.parent.parent:
                    heapq.heappush(heap, (node.parent.time, id(node.parent), node.parent))
        return gone

    def _all(self):
        stack = [*self.root.children.values()]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children.values())

    def walk(self):
        for node in self._all():
            above = node.parent if node.parent.parent else None
            yield NodeView(node, above, node.tokens, tuple(node.block_ids), node.locks)

    def stats(self):
        blocks = [0] * 3
        for node in self._all():
            blocks[2 if node.locks > 1 else node.locks] += len(node.block_ids)
        return TreeStats(sum(1 for _ in self._all()), blocks[2], blocks[1], blocks[0])
