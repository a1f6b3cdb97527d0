# loses: audit, counts, eager, report, conclusions
# Labels a fork with the number of forks made so far.
from dataclasses import replace

right = take_group


def take_group(*asked):
    samples, so_far = [], 0
    for sample in right(*asked):
        if sample.phase == "fork":
            so_far += 1
            sample = replace(sample, forks=so_far)
        samples.append(sample)
    return samples
