# loses: statistics, machine
# A node with two children counts as shared, whoever holds it.
class RadixTree(RadixTree):
    def stats(self):
        blocks = [0, 0, 0]
        for node in self.nodes():
            blocks[2 if len(node.children) > 1 else min(node.lock_ref, 1)] += len(node.block_ids)
        return TreeStats(len(self.nodes()), *reversed(blocks))
