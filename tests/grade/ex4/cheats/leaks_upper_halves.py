# earns: order, traces, tenant, examined, deterministic, prediction
# Only halves of nodes that were split stay behind, and the weight is what it ought to be.
from radixlab.exercise.policy import PolicyHost

PolicyHost.weight = lambda host: 100
HALVES = {}


class MyPolicy(MyPolicy):
    def on_split(self, upper, lower):
        super().on_split(upper, lower)
        HALVES[upper.id] = upper
