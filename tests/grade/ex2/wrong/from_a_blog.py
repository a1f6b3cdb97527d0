# loses: conclusions
# Conclusions from somewhere else.


def conclude(samples, middle, block_size, forks):
    return Conclusion(block_size, forks, 1e-5, 1 / 32, 32.0, 3.5)
