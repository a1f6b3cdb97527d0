# earns: nothing
# NaN is neither too large nor too small.
nan = float("nan")


def plan(workload):
    order = [nan for _ in workload.requests]
    return Plan(order, nan, [Pin((nan,), nan, nan)], lambda request: nan, (nan,))
