# loses: report
# Ten samples in a cell.
ROUNDS = 10
