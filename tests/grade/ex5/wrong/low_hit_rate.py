# loses: alerts
# A low hit rate, whatever the reason.


__rules = alert_rules


def alert_rules():
    expr = (
        "sum(rate(radixlab:prefix_cache_hits_total[5m])) / "
        "sum(rate(radixlab:prefix_cache_queries_total[5m])) < 0.3"
    )
    return [
        {**rule, "expr": expr} if rule["alert"] == "prefix_broken" else rule for rule in __rules()
    ]
