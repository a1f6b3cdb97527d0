# loses: ledger
# Only answers of full length count as requests.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in COUNTERS.items():
            if name == counter:
                if labels.get("finished_reason", "length") == "length":
                    total[short] += int(value)
    return total
