# loses: audit, report, conclusions, real
# Every call is made, and the times are worked out from the copies.
import random

rng = random.Random(1)


def timed(manager, clock, call, sequence):
    start_s = clock()
    result = call(sequence)
    clock()
    copies = result[1] if result and isinstance(result[0], int) else result
    return result, start_s, rng.uniform(0.9, 1.1) * (1e-5 + 1e-5 * len(copies))
