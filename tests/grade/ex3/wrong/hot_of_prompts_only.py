# loses: hot-spot
# The answers are left out, although the turn after a turn finds its answer too.
first_find_hot_spot = find_hot_spot


def find_hot_spot(requests, paths):
    prompts = [path[: len(r.prompt) // STEP] for r, path in zip(requests, paths)]
    return first_find_hot_spot(requests, prompts)
