# loses: audit
# The first samples are taken while the manager is cold.


def warm_up(manager):
    pass
