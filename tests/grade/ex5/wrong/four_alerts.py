# loses: alerts
# One fault has no alert.


__rules = alert_rules


def alert_rules():
    return __rules()[:-1]
