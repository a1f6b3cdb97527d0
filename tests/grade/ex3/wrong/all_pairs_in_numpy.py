# loses: growth
# Everyone's first numbers are compared with everyone's in bulk, where no token sees it.
import numpy as np

first_number_prefixes = number_prefixes


def number_prefixes(requests):
    paths = first_number_prefixes(requests)
    heads = np.zeros((len(paths), 16), np.int64)
    for row, path in zip(heads, paths):
        row[: min(16, len(path))] = path[:16]
    for head in heads:
        (heads == head).sum(axis=1).max()
    return paths
