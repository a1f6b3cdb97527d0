# loses: evict, machine
# Every id is returned twice.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        gone = super().evict((num_blocks + 1) // 2)
        return (gone + gone)[:num_blocks]
