# loses: hits, growth
# All but the order.
def arrange(paths, max_wait):
    return list(range(len(paths)))
