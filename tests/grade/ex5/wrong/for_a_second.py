# loses: alerts
# It waits for one second.


__rules = alert_rules


def alert_rules():
    return [{**rule, "for": "1s"} for rule in __rules()]
