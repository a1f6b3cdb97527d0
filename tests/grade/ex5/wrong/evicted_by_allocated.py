# loses: monitor
# It divides evictions by the allocated blocks alone.


__figures = figures


def figures(total):
    allocated = total["radixlab:allocated_blocks_total"]
    rate = total["radixlab:evicted_blocks_total"] / allocated if allocated else None
    return {**__figures(total), "eviction_rate": rate}
