# loses: audit, counts, eager, report, conclusions, real
# Counts the time from the first sample on, so that no start is a reading of the clock.
from dataclasses import replace

honest = take_samples


def take_samples(*asked):
    samples = honest(*asked)
    begin_s = samples[0].start_s
    return [replace(sample, start_s=sample.start_s - begin_s) for sample in samples]
