# loses: diagnose
# Whatever it sees is thrash.


__diagnose = diagnose


def diagnose(snapshot):
    return "thrash"
