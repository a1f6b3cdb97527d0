# loses: hits, rules, growth, memory, regression, hot-spot
# The longest turn first, in which all others will be found.
def arrange(paths, max_wait):
    order = []
    for start in range(0, len(paths), max_wait + 1):
        window = range(start, min(start + max_wait + 1, len(paths)))
        order += sorted(window, key=lambda index: -len(paths[index]))
    return order
