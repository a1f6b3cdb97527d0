# loses: audit, report, conclusions, real
# Seconds that are milliseconds.
from dataclasses import replace

in_seconds = take_samples


def take_samples(make_manager, clock, forks, block_sizes):
    samples = in_seconds(make_manager, clock, forks, block_sizes)
    return [replace(sample, seconds=1_000 * sample.seconds) for sample in samples]
