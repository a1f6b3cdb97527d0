# loses: report
# All of copy-on-write, and then all of its rival.
in_rounds = take_samples


def take_samples(make_manager, clock, forks, block_sizes):
    global KINDS
    samples = []
    for KINDS in (("cow",), ("eager",)):
        samples += in_rounds(make_manager, clock, forks, block_sizes)
    return samples
