# loses: audit
# Five calls do not warm a manager.


def warm_up(manager):
    for _ in range(5):
        manager.release(manager.start())
