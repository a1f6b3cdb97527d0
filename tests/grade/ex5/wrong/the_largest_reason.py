# loses: diagnose
# It names the largest reason of the misses, on healthy servers as well.


__diagnose = diagnose


def diagnose(snapshot):
    if (found := __diagnose(snapshot)) in ("leak", "pool_too_small"):
        return found
    reasons = {
        "evicted": "thrash",
        "never_seen": "no_shared_prefixes",
        "below_block": "prefix_broken",
    }
    missed = {
        fault: snapshot.increase("prefix_cache_misses_total", reason=reason)
        for reason, fault in reasons.items()
    }
    return max(missed, key=missed.get)
