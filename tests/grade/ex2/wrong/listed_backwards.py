# loses: report
# Lists the samples of each group from its last to its first.
forwards = take_group


def take_group(*asked):
    return forwards(*asked)[::-1]
