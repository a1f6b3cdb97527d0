# loses: growth
# Numbers stand for prefixes, so no token is compared: but everyone is compared with everyone.
def next_uses(order, paths):
    uses = {}
    for position, index in enumerate(order):
        path, found = paths[index], [None] * len(paths[index])
        for later in range(len(order) - 1, position, -1):
            for depth in range(num_shared(path, paths[order[later]])):
                found[depth] = later
        uses[index] = found
    return uses
