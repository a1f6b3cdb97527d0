# loses: audit, eager, conclusions, real
# Times the rival's writes only; it pays when it forks, and nothing can be concluded without that.
everything = take_group


def take_group(manager, clock, kind, block_size, forks):
    samples = everything(manager, clock, kind, block_size, forks)
    return [sample for sample in samples if (kind, sample.phase) != ("eager", "fork")]


def conclude(samples, middle, block_size, forks):
    copy_s = middle["cow", block_size, forks, "first"]
    return Conclusion(block_size, forks, copy_s, 1.0, 1.0, 1.0)
