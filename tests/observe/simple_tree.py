"""A learner's tree: one node per block in nested dicts, in every respect unlike the engine's."""

import numpy as np

from radixlab.cache import InsertResult, LockError, Match, NodeView, Receipt, TreeStats


class Block:
    """One block of tokens below its parent; never split, so a match ends anywhere."""

    def __init__(self, id, parent, namespace, tokens, block_id):
        self.id, self.parent, self.namespace = id, parent, namespace
        self.tokens, self.block_id = tokens, block_id
        self.children, self.locks = {}, 0


class SimpleTree:
    """The prefix tree's protocol in plain Python. `bug` switches one classic mistake on."""

    def __init__(self, block_size: int, bug: str = "") -> None:
        self.block_size, self.bug = block_size, bug
        self.roots, self.num_made = {}, 0

    def match_prefix(self, tokens, namespace=None):
        node = self.roots.setdefault(namespace, Block(-1, None, namespace, (), None))
        ids = []
        for key in self._keys(tokens):
            if key not in node.children or node.children[key].block_id is None:
                break
            node = node.children[key]
            ids.append(node.block_id)
        return Match(node, np.array(ids, np.int32))

    def peek(self, tokens, namespace=None):
        return self.match_prefix(tokens, namespace).block_ids

    def insert(self, tokens, block_ids, namespace=None):
        match = self.match_prefix(tokens, namespace)
        node, num_cached = match.node, len(match.block_ids)
        for key, block in list(zip(self._keys(tokens), block_ids, strict=True))[num_cached:]:
            node.children[key] = Block(self.num_made, node, namespace, key, int(block))
            self.num_made, node = self.num_made + 1, node.children[key]
        kept = np.concatenate((match.block_ids, block_ids[num_cached:])).astype(np.int32)
        return InsertResult(node, kept, num_cached, block_ids[block_ids != kept])

    def lock(self, node):
        self._add(node, 1)
        return Receipt(node)

    def unlock(self, receipt):
        if receipt.released:
            raise LockError(f"node {receipt.node.id}: released before")
        receipt.released = True
        self._add(receipt.node, -1)

    def trim(self, node, num_blocks):
        gone = []
        while num_blocks > len(gone) and node.parent and not node.locks and not node.children:
            gone.append(node.block_id)
            del node.parent.children[node.tokens]
            node = node.parent
        return np.array(gone, np.int32)

    def evict(self, num_blocks):
        gone = []
        while len(gone) < num_blocks:
            unlocked = [n for n in self._blocks() if not n.locks and n.block_id is not None]
            if self.bug == "evicts inner nodes" and unlocked:
                gone.append(unlocked[0].block_id)
                unlocked[0].block_id = None
            elif leaves := [node for node in unlocked if not node.children]:
                gone += self.trim(leaves[0], 1).tolist()
            else:
                break
        return np.array(gone, np.int32)

    def walk(self):
        for node in self._blocks():
            if node.block_id is not None:
                above = node.parent.id if node.parent.parent else None
                yield NodeView(
                    node.id, above, node.namespace, node.tokens, (node.block_id,), node.locks
                )

    def stats(self):
        held = [min(view.lock_ref, 2) for view in self.walk()]
        return TreeStats(len(held), held.count(2), held.count(1), held.count(0))

    def _keys(self, tokens):
        size = self.block_size
        return [tuple(tokens[i : i + size]) for i in range(0, len(tokens) - size + 1, size)]

    def _blocks(self):
        waiting = [node for root in self.roots.values() for node in root.children.values()]
        for node in waiting:  # grows while it is walked: parents first
            yield node
            waiting += node.children.values()

    def _add(self, node, count):
        while node.parent:
            node.locks += count
            if self.bug == "locks the leaf only":
                break
            node = node.parent
