# loses: growth
# What is shared is found by comparing everyone with everyone.
def wanted_again(order, paths):
    wanted = {}
    for place, index in enumerate(order):
        steps = [num_shared(paths[index], paths[other]) for other in order if other != index]
        wanted[index] = STEP * max(steps, default=0)
    return wanted


first_number_prefixes = number_prefixes


def number_prefixes(requests):
    sum(one.tokens[0] == other.tokens[0] for one in requests for other in requests)
    return first_number_prefixes(requests)
