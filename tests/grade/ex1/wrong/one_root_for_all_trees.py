# loses: machine
# Root and block size belong to the class: the tree that was made last is everybody's.
class RadixTree(RadixTree):
    def __init__(self, block_size):
        RadixTree.block_size = block_size
        RadixTree.root = Node(None, (), [])
