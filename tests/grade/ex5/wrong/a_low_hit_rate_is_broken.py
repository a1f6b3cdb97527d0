# loses: diagnose
# Every low hit rate is a broken prefix.


__diagnose = diagnose


def diagnose(snapshot):
    queries = snapshot.increase("prefix_cache_queries_total")
    if queries and snapshot.increase("prefix_cache_hits_total") < 0.3 * queries:
        return "prefix_broken"
    return __diagnose(snapshot)
