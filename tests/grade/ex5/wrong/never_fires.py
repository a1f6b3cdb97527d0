# loses: alerts
# A metric that nobody has.


__rules = alert_rules


def alert_rules():
    return [{**rule, "expr": rule["expr"].replace("radixlab:", "vllm:")} for rule in __rules()]
