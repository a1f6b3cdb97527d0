# loses: alerts
# The rate of a gauge says nothing.


__rules = alert_rules


def alert_rules():
    expr = "rate(radixlab:num_requests_waiting[5m]) > 0.5"
    return [
        {**rule, "expr": expr} if rule["alert"] == "pool_too_small" else rule for rule in __rules()
    ]
