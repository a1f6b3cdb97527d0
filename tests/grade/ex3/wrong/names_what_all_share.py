# loses: hot-spot
# What all begin with; among documents that is next to nothing.
def find_hot_spot(requests, paths):
    common, shortest = 0, min(map(len, paths))
    while common < shortest and len({path[common] for path in paths}) == 1:
        common += 1
    return requests[0].tokens[: common * STEP]
