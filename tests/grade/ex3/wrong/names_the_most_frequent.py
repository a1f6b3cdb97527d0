# loses: hot-spot
# The prefix that most begin with: the shorter, the more.
def find_hot_spot(requests, paths):
    count = Counter(path[0] for path in paths)
    number = max(count, key=count.get)
    request = next(r for r, path in zip(requests, paths) if path[0] == number)
    return request.tokens[: 2 * STEP]
