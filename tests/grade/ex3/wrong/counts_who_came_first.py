# loses: hot-spot
# Who computes a prefix is counted among those who find it.
def find_hot_spot(requests, paths):
    count = Counter(n for path in paths for n in path)
    most, hot = 0, ()
    for r, path in zip(requests, paths):
        for steps, n in enumerate(path, 1):
            if steps * STEP * count[n] > most:
                most, hot = steps * STEP * count[n], r.tokens[: steps * STEP]
    return hot
