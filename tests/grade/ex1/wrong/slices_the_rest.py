# loses: work
# The rest of the key is copied for every block.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        size, node, block_ids, rest = self.block_size, self.root, [], tokens
        while child := node.children.get(rest[:size]):
            shared = 0
            for i in range(0, len(child.tokens), size):
                if child.tokens[i : i + size] != rest[:size]:
                    break
                rest = rest[size:]
                shared += 1
            node = self.split(child, shared) if shared < len(child.block_ids) else child
            block_ids += node.block_ids
        return Match(node, block_ids)
