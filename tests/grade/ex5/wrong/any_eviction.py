# loses: alerts
# Any eviction is thrash.


__rules = alert_rules


def alert_rules():
    expr = "sum(rate(radixlab:evicted_blocks_total[5m])) > 0"
    return [{**rule, "expr": expr} if rule["alert"] == "thrash" else rule for rule in __rules()]
