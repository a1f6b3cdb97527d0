# loses: work
# The rest of the key is copied for every block, as a list, where nobody counts it.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        size, node, block_ids, rest = self.block_size, self.root, [], list(tokens)
        while child := node.children.get(tuple(rest[:size])):
            own, shared = list(child.tokens), 0
            while own and own[:size] == rest[:size]:
                own, rest, shared = own[size:], rest[size:], shared + 1
            node = self.split(child, shared) if own else child
            block_ids += node.block_ids
        return Match(node, block_ids)
