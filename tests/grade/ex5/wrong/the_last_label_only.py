# loses: ledger
# Of several series it keeps the last one.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in COUNTERS.items():
            if name == counter:
                total[short] = int(value)
    return total
