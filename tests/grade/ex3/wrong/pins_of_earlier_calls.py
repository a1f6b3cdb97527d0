# loses: hits, rules, growth, memory, regression, hot-spot
# A default list keeps the pins of every workload so far.
base = plan


def plan(workload, pins=[]):
    f = base(workload)
    pins += f.pins
    return Plan(f.order, f.block_size, pins, f.insertion, f.hot_spot)
