# loses: hits
# Everything is registered, whether anybody asks for it again or not.
choosy = plan


def plan(workload):
    found = choosy(workload)
    return Plan(found.order, found.block_size, found.pins, everything, found.hot_spot)


def everything(request):
    return len(request.tokens)
