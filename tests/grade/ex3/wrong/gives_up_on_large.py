# loses: growth
# What would be much work is not done.
careful = plan


def plan(workload):
    found = careful(workload)
    if len(workload.requests) < 1_000:
        return found
    order = list(range(len(workload.requests)))
    return Plan(order, found.block_size, [], lambda request: len(request.tokens), ())
