# loses: ledger
# It takes blocks that are cached now for tokens that were found.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in {**COUNTERS, "cached_tokens": "radixlab:blocks"}.items():
            if name == counter:
                total[short] += int(value) * (labels.get("state", "evictable") == "evictable")
    return total
