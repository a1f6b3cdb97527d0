# loses: alerts
# It wakes somebody at once.


__rules = alert_rules


def alert_rules():
    return [{k: v for k, v in rule.items() if k != "for"} for rule in __rules()]
