# loses: hits, growth, regression
# Large blocks waste little memory, and find nothing of what is short.
sized = plan


def plan(workload):
    found = sized(workload)
    return Plan(found.order, 64, found.pins, found.insertion, found.hot_spot)
