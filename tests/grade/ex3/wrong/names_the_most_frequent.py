# loses: hot-spot
# The prefix that most begin with: the shorter, the more.
def find_hot_spot(requests, paths):
    number, _ = Counter(path[0] if path else None for path in paths).most_common(1)[0]
    return next(r.tokens[:STEP] for r, path in zip(requests, paths) if path[:1] in ([number], []))
