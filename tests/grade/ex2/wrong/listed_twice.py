# loses: audit, report
# Every sample is listed twice: nine rounds look like eighteen.
ROUNDS = 9
once = take_samples


def take_samples(make_manager, clock, forks, block_sizes):
    return [s for s in once(make_manager, clock, forks, block_sizes) for _ in range(2)]
