# loses: diagnose
# Anybody who waits means a small pool.


__diagnose = diagnose


def diagnose(snapshot):
    if any(snapshot.values("num_requests_waiting")):
        return "pool_too_small"
    return __diagnose(snapshot)
