# loses: eager, report, conclusions
# The rival is copy-on-write under another name.
honest = take_samples


def take_samples(make_manager, clock, forks, block_sizes):
    return honest(lambda kind, size: make_manager("cow", size), clock, forks, block_sizes)


careful = conclude


def conclude(samples, middle, block_size, forks):
    if any(sample.copies for sample in samples):
        return careful(samples, middle, block_size, forks)

    def group_s(kind):
        fork, first, last = (middle[kind, block_size, forks, p] for p in ("fork", "first", "last"))
        return forks * (fork + first) + last

    return Conclusion(block_size, forks, None, 1.0, None, group_s("eager") / group_s("cow"))
