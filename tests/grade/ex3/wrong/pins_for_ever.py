# loses: memory
# The pin is never lifted.
unpinned = plan


def plan(workload):
    found = unpinned(workload)
    pins = [Pin(found.hot_spot, 1, 1_000_000)]
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
