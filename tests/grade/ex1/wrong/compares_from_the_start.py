# loses: work
# Ever longer beginnings of an edge are compared: the square of its length.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        size, node, block_ids = self.block_size, self.root, []
        while True:
            rest = tokens[len(block_ids) * size :]
            child = node.children.get(rest[:size])
            if child is None:
                return Match(node, block_ids)
            shared = len(child.block_ids)
            while rest[: shared * size] != child.tokens[: shared * size]:
                shared -= 1
            node = self.split(child, shared) if shared < len(child.block_ids) else child
            block_ids += node.block_ids
