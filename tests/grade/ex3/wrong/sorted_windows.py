# loses: hits
# Fixed windows, each sorted: what is shared across their borders is lost.
def arrange(paths, max_wait):
    order = []
    for start in range(0, len(paths), max_wait + 1):
        window = range(start, min(start + max_wait + 1, len(paths)))
        order += sorted(window, key=lambda index: paths[index])
    return order
