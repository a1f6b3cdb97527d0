# loses: rules, regression
# If nobody may wait, the oldest has to go: it is forgotten.
patient = arrange


def arrange(paths, max_wait):
    return patient(paths, max_wait or 1)
