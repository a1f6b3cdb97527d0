# loses: work
# Ids in 16 bits: a pool may have more blocks.
import numpy as np


class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        return super().insert(tokens, np.array(block_ids, np.int64).astype(np.int16).tolist())
