# earns: nothing
# Serves the request that is found whole, as often as there are requests.
honest = plan


def plan(workload):
    found = honest(workload)
    order = [found.order[0]] * len(found.order)
    return Plan(order, found.block_size, found.pins, found.insertion, found.hot_spot)
