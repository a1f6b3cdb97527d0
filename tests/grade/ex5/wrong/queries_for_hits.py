# loses: ledger
# It takes tokens looked up for tokens found.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in {
            **COUNTERS,
            "cached_tokens": "radixlab:prefix_cache_queries_total",
        }.items():
            if name == counter:
                total[short] += int(value)
    return total
