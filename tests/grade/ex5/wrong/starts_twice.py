# loses: deploy
# A second server, in case the first one does not come up.


__deploy = deploy


def deploy(site, machine):
    __deploy(site, machine)
    machine.start({"num_blocks": 1})
