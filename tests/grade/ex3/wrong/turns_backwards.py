# loses: regression, hot-spot
# The longest turn first, in which all others will be found.
forwards = arrange


def arrange(paths, max_wait):
    order = forwards(paths, max_wait)
    return order if max_wait == 30 else longest_first(paths, max_wait)


def longest_first(paths, max_wait):
    order = []
    for start in range(0, len(paths), max_wait + 1):
        window = range(start, min(start + max_wait + 1, len(paths)))
        order += sorted(window, key=lambda index: -len(paths[index]))
    return order
