# loses: eager, conclusions, real
# Measures copy-on-write alone.
KINDS = ("cow",)


def conclude(samples, middle, block_size, forks):
    copy_s = middle["cow", block_size, forks, "first"]
    return Conclusion(block_size, forks, copy_s, 0.0, 0.0, 1.0)
