# loses: hits, rules, growth, memory, regression, hot-spot
# A prompt that was just served is found whole.
once = arrange


def arrange(paths, max_wait):
    order = once(paths, max_wait)
    return [*order, order[-1]]
