# loses: monitor
# It says None where a figure is 0.


__figures = figures


def figures(total):
    return {name: value or None for name, value in __figures(total).items()}
