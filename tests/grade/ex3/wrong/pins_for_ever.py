# loses: memory
# The last pin is never lifted.
lifted = plan


def plan(workload):
    found = lifted(workload)
    *others, last = found.pins or [None]
    pins = [*others, Pin(last.tokens, last.from_, 1_000_000)] if last else []
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
