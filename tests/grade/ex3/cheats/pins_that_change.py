# earns: hits, rules, growth, regression, hot-spot
# The pins are for ever when they are read, and lifted whenever somebody looks again.
honest = plan


class Changing(Plan):
    looks = 0

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name != "pins" or not found:
            return found
        Changing.looks += 1
        first = [Pin(found[0].tokens, found[0].from_, 1 << 30), *found[1:]]
        return first if Changing.looks % 2 else found


def plan(workload):
    found = honest(workload)
    parts = found.order, found.block_size, found.pins, found.insertion, found.hot_spot
    return Changing(*parts)
