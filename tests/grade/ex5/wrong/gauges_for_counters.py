# loses: ledger
# It takes what runs now for what has run.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in {**COUNTERS, "requests": "radixlab:num_requests_running"}.items():
            if name == counter:
                total[short] += int(value)
    return total
