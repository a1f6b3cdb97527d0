# loses: hits, rules, growth, memory, regression, hot-spot
# A turn that follows the one before at once is served before it: there the whole chat is found.
forwards = plan


def plan(workload):
    found = forwards(workload)
    order = list(found.order)
    for position, index in enumerate(order[1:], 1):
        if workload.requests[index].after == order[position - 1]:
            order[position - 1 : position + 1] = index, order[position - 1]
            break
    return Plan(order, found.block_size, found.pins, found.insertion, found.hot_spot)
