# loses: evict, machine
# A parent that has become a leaf is not looked at.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        gone = []
        for node in self.nodes():
            if not node.children and not node.lock_ref and len(gone) < num_blocks:
                keep = max(len(node.block_ids) - num_blocks + len(gone), 0)
                gone += node.block_ids[keep:]
                del node.parent.children[node.tokens[: self.block_size]]
                if keep:
                    node.parent.children[node.tokens[: self.block_size]] = node
                node.tokens, node.block_ids = (
                    node.tokens[: keep * self.block_size],
                    node.block_ids[:keep],
                )
        return gone
