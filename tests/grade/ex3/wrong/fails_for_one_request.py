# loses: rules, regression
# The last but one request is asked for where there may be one only.
many = plan


def plan(workload):
    workload.requests[-2]
    return many(workload)
