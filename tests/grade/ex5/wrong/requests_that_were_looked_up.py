# loses: monitor
# It divides by prompts that came instead of requests that finished.


__figures = figures


def figures(total):
    requests = total["radixlab:prefix_match_blocks_count"]
    blocks = total["radixlab:allocated_blocks_total"] + total["radixlab:reused_blocks_total"]
    return {**__figures(total), "blocks_per_request": blocks / requests if requests else None}
