# loses: monitor
# It says percent.


__figures = figures


def figures(total):
    return {name: value and 100 * value for name, value in __figures(total).items()}
