# loses: memory
# It ends one position after the end.
punctual = plan


def plan(workload):
    found = punctual(workload)
    first, *others = found.pins or [None]
    pins = [Pin(first.tokens, first.from_, len(found.order) + 1), *others] if first else []
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
