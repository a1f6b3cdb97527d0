# loses: hits
# Short prompts first, where nobody continues anybody.
near = arrange


def arrange(paths, max_wait):
    if max_wait != 10:
        return near(paths, max_wait)
    order = []
    for start in range(0, len(paths), max_wait + 1):
        window = range(start, min(start + max_wait + 1, len(paths)))
        order += sorted(window, key=lambda index: len(paths[index]))
    return order
