# loses: ledger
# It adds whatever contains the name.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in {**COUNTERS, "requests": "radixlab:request"}.items():
            if counter.removesuffix("_total").split(":")[1] in name:
                total[short] += int(value)
    return total
