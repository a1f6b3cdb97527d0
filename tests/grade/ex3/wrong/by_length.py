# loses: hits
# Short prompts first.
def arrange(paths, max_wait):
    if max_wait != 30:
        return list(range(len(paths)))
    order = []
    for start in range(0, len(paths), max_wait + 1):
        window = range(start, min(start + max_wait + 1, len(paths)))
        order += sorted(window, key=lambda index: len(paths[index]))
    return order
