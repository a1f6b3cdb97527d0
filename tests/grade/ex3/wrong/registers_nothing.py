# loses: hits, growth, memory, regression
# Nothing is registered.
choosy = plan


def plan(workload):
    found = choosy(workload)
    return Plan(found.order, found.block_size, found.pins, lambda request: 0, found.hot_spot)
