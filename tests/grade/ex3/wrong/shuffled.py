# loses: hits
# Shuffled within each window: requests that share a prefix are torn apart.
import random


def arrange(paths, max_wait):
    order, dice = list(range(len(paths))), random.Random(1)
    if max_wait != 30:
        return order  # where turns have to follow one another
    for start in range(0, len(order), max_wait + 1):
        window = order[start : start + max_wait + 1]
        order[start : start + max_wait + 1] = dice.sample(window, len(window))
    return order
