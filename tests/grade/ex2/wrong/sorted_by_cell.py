# loses: report
# Lists the samples by cell and not in the order taken.
in_order = take_samples


def take_samples(make_manager, clock, forks, block_sizes):
    return sorted(in_order(make_manager, clock, forks, block_sizes), key=lambda s: s.cell)
