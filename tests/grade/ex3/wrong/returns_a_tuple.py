# loses: hits, rules, growth, memory, regression, hot-spot
# The order alone is no plan.
whole = plan


def plan(workload):
    return whole(workload).order
