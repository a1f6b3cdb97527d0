# loses: alerts
# It uses a function that Prometheus does not have.


__rules = alert_rules


def alert_rules():
    return [{**rule, "expr": "hit_rate(" + rule["expr"] + ")"} for rule in __rules()]
