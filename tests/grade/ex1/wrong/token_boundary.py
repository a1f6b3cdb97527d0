# loses: split, children, machine
# A node is split where the tokens part, inside a block.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        size, node, start, block_ids = self.block_size, self.root, 0, []
        while child := node.children.get(tokens[start : start + size]):
            shared = 0
            while tokens[start + shared : start + shared + 1] == child.tokens[shared : shared + 1]:
                shared += 1
                if shared == len(child.tokens):
                    break
            if shared < len(child.tokens):
                child = self.split_tokens(child, shared)
            node, start = child, start + shared
            block_ids += node.block_ids
        return Match(node, block_ids)

    def split_tokens(self, lower, cut):
        upper = Node(lower.parent, lower.tokens[:cut], lower.block_ids[: cut // self.block_size])
        upper.lock_ref = lower.lock_ref
        upper.parent.children[upper.tokens[: self.block_size]] = upper
        lower.parent, lower.tokens = upper, lower.tokens[cut:]
        lower.block_ids = lower.block_ids[cut // self.block_size :]
        upper.children[lower.tokens[: self.block_size]] = lower
        return upper
