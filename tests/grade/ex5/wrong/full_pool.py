# loses: alerts
# A pool that is full of cached blocks is as it should be.


__rules = alert_rules


def alert_rules():
    expr = 'radixlab:blocks{state="free"} < 10'
    return [
        {**rule, "expr": expr} if rule["alert"] == "pool_too_small" else rule for rule in __rules()
    ]
