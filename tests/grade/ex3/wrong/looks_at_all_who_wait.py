# loses: growth
# The next request is the best of all that are left.
near = arrange


def arrange(paths, max_wait):
    for position, path in enumerate(paths):
        max((num_shared(path, other) for other in paths[position + 1 :]), default=0)
    return near(paths, max_wait)
