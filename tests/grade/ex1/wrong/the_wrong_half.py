# loses: lock, machine
# The receipt names the node that becomes the upper half.
class RadixTree(RadixTree):
    def lock(self, node):
        super().lock(node)
        return [(node, node.tokens)]

    def unlock(self, receipt):
        node, tokens = receipt.pop()
        if node.tokens != tokens:
            node = node.parent
        super().unlock([node])
