# loses: audit
# Counts sync and release as calls that warm a manager up.
def warm_up(manager):
    for _ in range(10):
        manager.release(manager.start())
        manager.sync()
