# loses: alerts
# Blocks in use at every scrape: a busy hour has them, too.


__rules = alert_rules


def alert_rules():
    expr = 'min_over_time(radixlab:blocks{state="in_use"}[4m]) > 0'
    return [{**rule, "expr": expr} if rule["alert"] == "leak" else rule for rule in __rules()]
