# loses: diagnose
# It has names of its own.


__diagnose = diagnose


def diagnose(snapshot):
    found = __diagnose(snapshot)
    return found and found.replace("_", " ").title()
