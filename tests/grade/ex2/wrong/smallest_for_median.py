# loses: report, conclusions
# Reports the smallest sample of each cell.
careful = summarise


def summarise(samples):
    n, middle, spread = careful(samples)
    return n, {cell: min(s.seconds for s in samples if s.cell == cell) for cell in middle}, spread
