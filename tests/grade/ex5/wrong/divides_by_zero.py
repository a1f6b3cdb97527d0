# loses: monitor
# It raises where nobody comes.


def figures(total):
    def count(name):
        return total["radixlab:" + name]

    reused = count("reused_blocks_total")
    blocks = count("allocated_blocks_total") + reused
    return {
        "reuse": reused / blocks,
        "blocks_per_request": blocks / count("request_success_total"),
        "prefix_match_blocks": count("prefix_match_blocks_sum")
        / count("prefix_match_blocks_count"),
        "eviction_rate": count("evicted_blocks_total") / blocks,
    }
