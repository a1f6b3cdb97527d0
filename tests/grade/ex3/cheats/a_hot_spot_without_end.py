# earns: nothing
# Every prefix begins with the hot spot, if only the hot spot is all there is.
from itertools import count

honest = plan


def plan(workload):
    found = honest(workload)
    return Plan(found.order, found.block_size, found.pins, found.insertion, count())
