# loses: alerts
# Somebody waits now and then: every burst does that.


__rules = alert_rules


def alert_rules():
    expr = "max_over_time(radixlab:num_requests_waiting[10m]) > 0"
    return [
        {**rule, "expr": expr, "for": "1m"} if rule["alert"] == "pool_too_small" else rule
        for rule in __rules()
    ]
