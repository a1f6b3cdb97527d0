# loses: monitor
# Three decimals.


__figures = figures


def figures(total):
    return {name: value and round(value, 3) for name, value in __figures(total).items()}
