# loses: hits, rules, growth, memory, regression, hot-spot
# As many pins as there is time for.
few = plan


def plan(workload):
    found, first = few(workload), workload.requests[0].tokens
    pins = [Pin(first[:8], 1, 2)] * 300_000
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
