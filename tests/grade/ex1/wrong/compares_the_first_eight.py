# loses: children, match, split, machine, work
# Inside a node, blocks are compared by their first eight tokens.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        size, node, block_ids = self.block_size, self.root, []
        while True:
            start = len(block_ids) * size
            child = node.children.get(tokens[start : start + size])
            if child is None:
                return Match(node, block_ids)
            shared = 1
            while shared < len(child.block_ids):
                i, j = shared * size, shared * size + size
                is_whole = start + j <= len(tokens)
                if not is_whole or child.tokens[i:j][:8] != tokens[start + i : start + j][:8]:
                    child = self.split(child, shared)
                    break
                shared += 1
            node = child
            block_ids += node.block_ids
