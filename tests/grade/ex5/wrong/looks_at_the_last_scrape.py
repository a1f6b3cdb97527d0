# loses: diagnose
# Totals of the last scrape instead of increases.


__diagnose = diagnose


def diagnose(snapshot):
    if (found := __diagnose(snapshot)) in ("leak", "pool_too_small"):
        return found
    queries = snapshot.values("prefix_cache_queries_total")[-1]
    reasons = {
        "evicted": "thrash",
        "never_seen": "no_shared_prefixes",
        "below_block": "prefix_broken",
    }
    for reason, fault in reasons.items():
        missed = snapshot.values("prefix_cache_misses_total", reason=reason)[-1]
        if queries and missed > 0.8 * queries:
            return fault
    return None
