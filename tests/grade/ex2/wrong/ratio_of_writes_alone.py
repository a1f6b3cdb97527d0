# loses: conclusions
# Compares what the writes cost and leaves the forks out.
from dataclasses import replace

right = conclude


def conclude(samples, middle, block_size, forks):
    def writes_s(kind):
        first, last = (middle[kind, block_size, forks, phase] for phase in ("first", "last"))
        return forks * first + last

    found = right(samples, middle, block_size, forks)
    return replace(found, eager_over_cow=writes_s("eager") / writes_s("cow"))
