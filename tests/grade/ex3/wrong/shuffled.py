# loses: hits
# Shuffled within each window: requests that share a document are torn apart.
import random

near = arrange


def arrange(paths, max_wait):
    if max_wait != 10:
        return near(paths, max_wait)  # where turns have to follow one another
    order, dice = list(range(len(paths))), random.Random(1)
    for start in range(0, len(order), max_wait + 1):
        window = order[start : start + max_wait + 1]
        order[start : start + max_wait + 1] = dice.sample(window, len(window))
    return order
