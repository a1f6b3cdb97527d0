# loses: hits, rules, growth, regression, hot-spot
# One position more than allowed.
punctual = arrange


def arrange(paths, max_wait):
    return punctual(paths, max_wait + 1)
