# loses: memory
# It ends one place after the end.
punctual = plan


def plan(workload):
    found = punctual(workload)
    pins = [*found.pins, Pin(found.hot_spot, 2, len(found.order) + 1)]
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
