# loses: audit
# Stops listing after fifteen rounds, and goes on measuring.
in_rounds = take_samples
ROUNDS = 20


def take_samples(*asked):
    samples = in_rounds(*asked)
    return samples[: 15 * len(samples) // ROUNDS]
