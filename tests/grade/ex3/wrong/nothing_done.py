# loses: hits, growth, memory, hot-spot
# alone
# Order of arrival, everything registered.
from radixlab.exercise.workload import Plan


def plan(workload):
    requests = workload.requests
    order = list(range(len(requests)))
    return Plan(order, 16, [], lambda request: len(request.tokens), requests[0].tokens[:256])
