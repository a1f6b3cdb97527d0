# loses: diagnose
# Healthy is a word, and None was asked for.


__diagnose = diagnose


def diagnose(snapshot):
    return __diagnose(snapshot) or "healthy"
