"""What a plan makes each sequence read, and what it should."""

import numpy as np

from radixlab.cache import CacheConfig, KVCacheManager

BLOCK = 4


def running(*prompts):
    manager = KVCacheManager(CacheConfig(200, BLOCK))
    sequences = []
    for prompt in prompts:
        sequences.append(manager.allocate(prompt))
        manager.commit(sequences[-1], len(prompt))
    return manager, sequences


def reads(plan):
    """What each caller's row reads: `{(block, tokens of it)}`, and how often each block is read."""
    starts, parts = plan.parts_by_rank()
    span_of_part = np.repeat(np.arange(plan.num_spans), plan.num_queries)
    found = {}
    for rank, row in enumerate(plan.order.tolist()):
        tokens = {}
        for span in span_of_part[parts[starts[rank] : starts[rank + 1]]]:
            left = int(plan.num_tokens[span])
            for block in plan.blocks_of(span).tolist():
                assert block not in tokens, "a block is read twice by one query"
                tokens[block] = min(BLOCK, left)
                left -= BLOCK
            assert left <= 0
        found[row] = tokens
    return found


def expected(sequences):
    found = {}
    for row, s in enumerate(sequences):
        blocks = s.block_table[: -(-s.num_tokens // BLOCK)].tolist()
        sizes = [BLOCK] * (len(blocks) - 1) + [s.num_tokens - BLOCK * (len(blocks) - 1)]
        found[row] = dict(zip(blocks, sizes, strict=True))
    return found


def spans(plan):
    """The spans as a set, whatever their order: who reads which blocks."""
    found = set()
    for span in range(plan.num_spans):
        first = plan.first_query[span]
        rows = plan.order[first : first + plan.num_queries[span]]
        blocks = tuple(plan.blocks_of(span).tolist())
        found.add((frozenset(rows.tolist()), blocks, int(plan.num_tokens[span])))
    return found
