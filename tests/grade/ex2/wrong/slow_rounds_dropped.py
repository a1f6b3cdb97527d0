# loses: audit
# Takes twice as many rounds as it keeps, and keeps the faster half.
in_rounds = take_samples
ROUNDS = 32


def take_samples(make_manager, clock, forks, block_sizes):
    samples = in_rounds(make_manager, clock, forks, block_sizes)
    size = len(samples) // ROUNDS
    taken = [samples[at : at + size] for at in range(0, len(samples), size)]
    cut = sorted(sum(one.seconds for one in part) for part in taken)[ROUNDS // 2]
    return [one for part in taken if sum(one.seconds for one in part) < cut for one in part]
