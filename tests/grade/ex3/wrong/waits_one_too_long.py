# loses: hits, growth, memory, regression, hot-spot
# One place more than allowed.
punctual = arrange


def arrange(paths, max_wait):
    return punctual(paths, max_wait + 1)
