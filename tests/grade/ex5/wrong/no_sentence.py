# loses: alerts
# It does not say what to do.


__rules = alert_rules


def alert_rules():
    return [{k: v for k, v in rule.items() if k != "annotations"} for rule in __rules()]
