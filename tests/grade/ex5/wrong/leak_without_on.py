# loses: alerts
# The labels of the two series never agree.


__rules = alert_rules


def alert_rules():
    expr = 'radixlab:blocks{state="in_use"} > 0 and radixlab:num_requests_running == 0'
    return [{**rule, "expr": expr} if rule["alert"] == "leak" else rule for rule in __rules()]
