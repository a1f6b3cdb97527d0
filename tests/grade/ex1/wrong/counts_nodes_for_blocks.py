# loses: statistics, machine
# Nodes are counted where blocks are meant.
class RadixTree(RadixTree):
    def stats(self):
        locks = [min(node.lock_ref, 2) for node in self.nodes()]
        return TreeStats(len(locks), locks.count(2), locks.count(1), locks.count(0))
