# loses: hits, rules, growth, memory, regression, hot-spot
# Blocks that no kernel takes.
even = plan


def plan(workload):
    found = even(workload)
    return Plan(found.order, 10, [], found.insertion, found.hot_spot)
