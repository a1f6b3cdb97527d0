# loses: machine
# Leaves are kept in a list, and a split puts its upper half there as well.
class RadixTree(RadixTree):
    def __init__(self, block_size):
        super().__init__(block_size)
        self.cut = []

    def split(self, lower, num_blocks):
        self.cut.append(super().split(lower, num_blocks))
        return self.cut[-1]

    def evict(self, num_blocks):
        gone = []
        for node in self.cut:
            if not node.lock_ref and len(gone) < num_blocks and len(node.children) == 1:
                (below,) = node.children.values()
                if below.children or below.lock_ref:
                    continue
                gone.append(node.block_ids.pop())
                node.children = {}
                node.tokens = node.tokens[: -self.block_size]
                if not node.block_ids:
                    node.parent.children = {
                        key: child
                        for key, child in node.parent.children.items()
                        if child is not node
                    }
        self.cut = []
        return gone + super().evict(num_blocks - len(gone))
