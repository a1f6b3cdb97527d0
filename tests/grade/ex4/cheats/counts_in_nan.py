# earns: safety, order, traces, tenant, deterministic, prediction
# The host says that it examined NaN nodes, and goes through a list of its own for each victim.
from radixlab.exercise.policy import PolicyHost

asked = PolicyHost.victim
PolicyHost.victim = lambda host, events: (asked(host, events)[0], float("nan"))


class MyPolicy(MyPolicy):
    def victim(self):
        sorted(rank for leaves in self.leaves.values() for rank in leaves.rank.values())
        return super().victim()
