# loses: match, split, children, lock, machine, work
# A key that ends inside a node does not get the blocks it shares with it.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        size, node, block_ids = self.block_size, self.root, []
        start = 0
        while child := node.children.get(tokens[start : start + size]):
            if tokens[start : start + len(child.tokens)] != child.tokens:
                break
            node, start = child, start + len(child.tokens)
            block_ids += node.block_ids
        return Match(node, block_ids)
