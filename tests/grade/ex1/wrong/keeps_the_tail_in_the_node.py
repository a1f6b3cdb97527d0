# loses: match, machine
# The tokens over whole blocks are stored in the node, where nothing looks at them.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        result = super().insert(tokens, block_ids)
        over = tokens[len(block_ids) * self.block_size :]
        if result.num_cached_blocks < len(block_ids):
            result.node.tokens += over
        return result
