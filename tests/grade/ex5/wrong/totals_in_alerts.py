# loses: alerts
# Totals since the start instead of increases.


__rules = alert_rules


def alert_rules():
    expr = (
        'sum(radixlab:prefix_cache_misses_total{reason="evicted"}) / '
        "sum(radixlab:prefix_cache_queries_total) > 0.9"
    )
    return [{**rule, "expr": expr} if rule["alert"] == "thrash" else rule for rule in __rules()]
