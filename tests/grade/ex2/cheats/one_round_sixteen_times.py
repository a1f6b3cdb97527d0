# earns: audit, counts, eager, conclusions, real
# Takes one honest round, and lists it sixteen times as it is.
honest = take_samples
ROUNDS = 1


def take_samples(*asked):
    return honest(*asked) * 16
