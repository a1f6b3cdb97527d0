# loses: report
# Says how many rounds there were, and not how many samples.
careful = summarise


def summarise(samples):
    n, middle, spread = careful(samples)
    return dict.fromkeys(n, ROUNDS), middle, spread
