# loses: hits, rules, growth, memory, regression, hot-spot
# A pin of tokens with which no request begins.
known = plan


def plan(workload):
    found = known(workload)
    pins = [*found.pins, Pin((1, 2, 3), 0, 1)]
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
