# loses: hits, rules, growth, hot-spot
# One position more than allowed.
punctual = arrange


def arrange(paths, max_wait):
    return punctual(paths, max_wait + 1)
