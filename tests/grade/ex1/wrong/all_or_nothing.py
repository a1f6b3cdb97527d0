# loses: evict, machine
# It raises if there are fewer blocks than asked for.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        free = sum(len(node.block_ids) for node in self.nodes() if not node.lock_ref)
        if free < num_blocks:
            raise MemoryError(f"{free} blocks")
        return super().evict(num_blocks)
