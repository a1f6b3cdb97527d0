# loses: alerts
# It compares a reason with the misses, which a healthy server has, too.


__rules = alert_rules


def alert_rules():
    expr = (
        'sum(rate(radixlab:prefix_cache_misses_total{reason="never_seen"}[5m])) '
        "/ sum(rate(radixlab:prefix_cache_misses_total[5m])) > 0.4"
    )
    return [
        {**rule, "expr": expr} if rule["alert"] == "no_shared_prefixes" else rule
        for rule in __rules()
    ]
