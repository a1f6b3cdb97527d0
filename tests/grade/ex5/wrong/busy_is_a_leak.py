# loses: diagnose
# Blocks in use at every scrape are a leak.


__diagnose = diagnose


def diagnose(snapshot):
    if min(snapshot.values("blocks", state="in_use")) > 0:
        return "leak"
    return __diagnose(snapshot)
