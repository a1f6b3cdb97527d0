# loses: hits, memory
# What is used seldom is left to the tree.
pinned = plan


def plan(workload):
    found = pinned(workload)
    return Plan(found.order, found.block_size, [], found.insertion, found.hot_spot)
