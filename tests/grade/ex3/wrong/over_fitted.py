# loses: regression
# Made for prompts of its own pattern: of any other the instructions are kept, and no more.
fitted = wanted_again


def wanted_again(order, paths):
    wanted = fitted(order, paths)
    is_chat = len(paths) == 160 and max(map(len, paths)) > 2_000 // STEP
    return {index: min(amount, 512) for index, amount in wanted.items()} if is_chat else wanted
