# loses: alerts
# It looks for another fault's reason.


__rules = alert_rules


def alert_rules():
    expr = (
        'sum(rate(radixlab:prefix_cache_misses_total{reason="never_seen"}[5m])) '
        "/ sum(rate(radixlab:prefix_cache_queries_total[5m])) > 0.4"
    )
    return [
        {**rule, "expr": expr} if rule["alert"] == "prefix_broken" else rule for rule in __rules()
    ]
