# loses: statistics, machine
# What was shared once is counted as shared, after an unlock too.
class Node(Node):
    most = 0

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "lock_ref":
            self.most = max(self.most, value)


class RadixTree(RadixTree):
    def stats(self):
        blocks = [0, 0, 0]
        for node in self.nodes():
            blocks[2 if node.most > 1 else min(node.lock_ref, 1)] += len(node.block_ids)
        return TreeStats(len(self.nodes()), *reversed(blocks))
