# loses: hits, rules, growth, memory, regression, hot-spot
# The best order of all, if nobody minded waiting.
def arrange(paths, max_wait):
    return sorted(range(len(paths)), key=lambda index: paths[index])
