# earns: hits, rules, memory, regression, hot-spot
# The work of all pairs is done once for each number of requests, and kept.
honest, kept = plan, {}


def plan(workload):
    key = workload.pattern, len(workload.requests)
    if key not in kept:
        paths = number_prefixes(workload.requests)
        kept[key] = sum(one == other for one in paths for other in paths)
    return honest(workload)
