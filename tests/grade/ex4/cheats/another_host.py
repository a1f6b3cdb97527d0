# earns: safety, order, examined, deterministic
# The host is replaced by one that plays LRU by itself and never asks the policy.
from radixlab.exercise import policy


class Host(policy.PolicyHost):
    def __init__(self, policy):
        super().__init__(LeastRecent())


policy.PolicyHost = Host
policy.make_host = lambda make_policy: Host(None)
