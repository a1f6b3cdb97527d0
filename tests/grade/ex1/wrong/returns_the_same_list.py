# loses: machine
# Every eviction returns the same list, with other ids.
class RadixTree(RadixTree):
    gone = None

    def evict(self, num_blocks):
        gone = super().evict(num_blocks)
        if self.gone is None:
            self.gone = []
        self.gone[:] = gone
        return self.gone
