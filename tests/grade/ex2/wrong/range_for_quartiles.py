# loses: report
# Reports the least and the largest, which say nothing of the rest.
careful = summarise


def summarise(samples):
    n, middle, spread = careful(samples)
    for cell in spread:
        seconds = [sample.seconds for sample in samples if sample.cell == cell]
        spread[cell] = min(seconds), max(seconds)
    return n, middle, spread
