# loses: diagnose
# It takes many evictions for thrash.


__diagnose = diagnose


def diagnose(snapshot):
    blocks = snapshot.increase("allocated_blocks_total") + snapshot.increase("reused_blocks_total")
    if snapshot.increase("evicted_blocks_total") > 0.5 * blocks:
        return "thrash"
    return __diagnose(snapshot)
