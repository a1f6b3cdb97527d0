# loses: audit
# Warms up with 28 calls: after the next start, the first sample is call 30.
def warm_up(manager):
    for _ in range(14):
        sequence = manager.start()
        manager.append(sequence)
        manager.release(sequence)
