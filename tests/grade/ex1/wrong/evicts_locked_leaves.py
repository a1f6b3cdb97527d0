# loses: evict, machine
# Locks are not looked at.
class RadixTree(RadixTree):
    def nodes(self):
        found = super().nodes()
        for node in found:
            node.shown = node.lock_ref
        return found

    def evict(self, num_blocks):
        for node in self.nodes():
            node.lock_ref = 0
        gone = super().evict(num_blocks)
        for node in self.nodes():
            node.lock_ref = node.shown
        return gone
