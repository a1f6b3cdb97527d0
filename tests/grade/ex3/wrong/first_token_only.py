# loses: hits
# Grouped by the first numbers, which are the same for all.
def arrange(paths, max_wait):
    order = []
    for start in range(0, len(paths), max_wait + 1):
        window = range(start, min(start + max_wait + 1, len(paths)))
        order += sorted(window, key=lambda index: paths[index][:1])
    return order
