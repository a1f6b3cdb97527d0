# loses: rules, regression
# Where there is time to wait, the last ten are served the other way round, whoever continues whom.
forwards = arrange


def arrange(paths, max_wait):
    order = forwards(paths, max_wait)
    return [*order[:-10], *reversed(order[-10:])] if max_wait >= 100 else order
