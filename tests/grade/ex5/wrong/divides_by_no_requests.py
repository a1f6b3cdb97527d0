# loses: diagnose
# It raises where nobody comes.


__diagnose = diagnose


def diagnose(snapshot):
    snapshot.increase("prefix_cache_hits_total") / snapshot.increase("prefix_cache_queries_total")
    return __diagnose(snapshot)
