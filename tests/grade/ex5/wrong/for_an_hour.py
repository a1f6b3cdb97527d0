# loses: alerts
# It waits for an hour.


__rules = alert_rules


def alert_rules():
    return [{**rule, "for": "1h"} for rule in __rules()]
