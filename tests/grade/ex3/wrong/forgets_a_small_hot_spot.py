# loses: hot-spot
# What saves no more than 8 tokens is no hot spot to it.
first_find_hot_spot = find_hot_spot


def find_hot_spot(requests, paths):
    found = first_find_hot_spot(requests, paths)
    users = sum(r.tokens[: len(found)] == found for r in requests)
    return found if len(found) * (users - 1) > STEP else ()
