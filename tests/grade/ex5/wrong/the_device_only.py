# loses: ledger
# Only what was found on the device counts as cached.


def totals(text):
    total = dict.fromkeys(COUNTERS, 0)
    for name, labels, value in samples(text):
        for short, counter in COUNTERS.items():
            if name == counter:
                if labels.get("tier", "device") == "device":
                    total[short] += int(value)
    return total
