# earns: audit, counts, eager, real
# The figures are huge, deep, endless and wrongly keyed.
deep = ()
for _ in range(10_000):
    deep = (deep,)


def summarise(samples):
    n = dict.fromkeys(range(10_000), 10**4_000)
    middle = {("cow",) * 5_000: deep}
    return n, middle, {sample.cell: [float("nan"), float("inf")] for sample in samples}


def conclude(samples, middle, block_size, forks):
    return Conclusion(10**400, forks, deep, float("nan"), float("inf"), -(10**400))
