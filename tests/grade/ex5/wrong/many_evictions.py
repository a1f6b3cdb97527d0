# loses: alerts
# Many evictions: a server without shared prefixes has them, too.


__rules = alert_rules


def alert_rules():
    expr = (
        "sum(rate(radixlab:evicted_blocks_total[5m])) / "
        "(sum(rate(radixlab:allocated_blocks_total[5m])) + "
        "sum(rate(radixlab:reused_blocks_total[5m]))) > 0.5"
    )
    return [{**rule, "expr": expr} if rule["alert"] == "thrash" else rule for rule in __rules()]
