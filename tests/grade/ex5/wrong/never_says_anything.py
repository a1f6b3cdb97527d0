# loses: diagnose
# All is well, always.


__diagnose = diagnose


def diagnose(snapshot):
    return None
