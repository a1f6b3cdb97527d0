# earns: deploy, ledger, monitor, alerts, diagnose
# A number that is another one whenever it is read.


class Shifty(int):
    reads = 0

    def __index__(self):
        Shifty.reads += 1
        return 8000 + Shifty.reads % 2


__deploy = deploy


def deploy(site, machine):
    start = machine.start
    machine.start = lambda settings: start({**settings, "port": Shifty(8000)})
    __deploy(site, machine)
