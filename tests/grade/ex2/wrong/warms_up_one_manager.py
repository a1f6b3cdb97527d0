# loses: audit
# Only one of the managers is warm: each has to be, for each starts cold.


def warm_up(manager, done=[]):
    if done:
        return
    done.append(manager)
    for _ in range(WARM_UP_CALLS):
        manager.release(manager.start())
