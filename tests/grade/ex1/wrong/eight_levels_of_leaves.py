# loses: evict
# Looks for new leaves eight times, and then gives up.
class RadixTree(RadixTree):
    def evict(self, n):
        gone = []
        for _ in range(8):
            for node in self.nodes():
                if node.children or node.lock_ref:
                    continue
                first = node.tokens[: self.block_size]
                while node.block_ids and len(gone) < n:
                    gone.append(node.block_ids.pop())
                node.tokens = node.tokens[: len(node.block_ids) * self.block_size]
                if not node.block_ids:
                    del node.parent.children[first]
        return gone
