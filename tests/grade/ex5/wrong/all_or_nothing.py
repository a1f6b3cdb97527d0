# loses: monitor
# If one figure is None, all are.


__figures = figures


def figures(total):
    found = __figures(total)
    return dict.fromkeys(found) if None in found.values() else found
