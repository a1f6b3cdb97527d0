# loses: hits
# Everything is registered, whether anybody asks for it again or not.
choosy = plan


def plan(workload):
    found = choosy(workload)
    every = lambda request: len(request.tokens)
    return Plan(found.order, found.block_size, found.pins, every, found.hot_spot)
