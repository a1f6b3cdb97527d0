# loses: rules
# Of the last two requests of an even number the later one goes first, whatever it continues.
forwards = arrange


def arrange(paths, max_wait):
    order = forwards(paths, max_wait)
    if max_wait >= 100:
        order[-2:] = order[:-3:-1]
    return order
