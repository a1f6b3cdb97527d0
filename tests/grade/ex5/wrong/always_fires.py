# loses: alerts
# An expression that is always true.


__rules = alert_rules


def alert_rules():
    return [{**rule, "expr": "radixlab:prefix_cache_queries_total >= 0"} for rule in __rules()]
