# loses: diagnose
# It does not know leaks.


__diagnose = diagnose


def diagnose(snapshot):
    found = __diagnose(snapshot)
    return None if found == "leak" else found
