# loses: monitor
# It says 0 where there is nothing to divide by.


__figures = figures


def figures(total):
    return {name: value or 0.0 for name, value in __figures(total).items()}
