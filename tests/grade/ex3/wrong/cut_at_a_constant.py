# loses: hits, growth, memory, regression
# Instructions and some examples, in tokens, whatever the traffic.
whole_plan = plan


def plan(workload):
    found = whole_plan(workload)
    return Plan(found.order, found.block_size, found.pins, lambda request: 64, found.hot_spot)
