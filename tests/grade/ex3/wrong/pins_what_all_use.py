# loses: hits, memory
# The prefix that all requests use is never evicted anyway.
pinned = plan


def plan(workload):
    found, requests = pinned(workload), workload.requests
    common = min(requests[0].tokens, requests[-1].tokens, key=len)[:8]
    pins = [Pin(common, 1, len(requests))] if len(requests) > 1 else []
    pins = pins if any(one.tokens[: len(common)] == common for one in requests) else []
    return Plan(found.order, found.block_size, pins, found.insertion, found.hot_spot)
