# loses: audit, report, conclusions, real
# Rounds the times to whole microseconds.
from dataclasses import replace

honest = take_samples


def take_samples(*asked):
    return [replace(one, seconds=round(one.seconds, 6)) for one in honest(*asked)]
