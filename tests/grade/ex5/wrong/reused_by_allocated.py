# loses: monitor
# It divides by the allocated blocks alone.


__figures = figures


def figures(total):
    allocated = total["radixlab:allocated_blocks_total"]
    reuse = total["radixlab:reused_blocks_total"] / allocated if allocated else None
    return {**__figures(total), "reuse": reuse}
