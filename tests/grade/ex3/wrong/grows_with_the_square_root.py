# loses: growth
# The window grows with the traffic, so the work grows with the power of one and a half and more.
near = arrange


def arrange(paths, max_wait):
    return near(paths, max_wait) if len(paths) < 400 else wide(paths, max_wait)


def wide(paths, max_wait):
    order = near(paths, max_wait)
    for index in order:
        max(num_shared(paths[index], other) for other in paths[: len(paths) // 2])
    return order
