# earns: order, traces, tenant, examined, deterministic, prediction
# A chain of links with slots, hidden behind a closure of a function of another module's globals.
from radixlab.exercise.policy import PolicyHost


def chain():
    top = None

    def add(value):
        nonlocal top
        top = (value, top)

    return add


PolicyHost.weight = lambda host: 1
REMEMBER = chain()


class MyPolicy(MyPolicy):
    def on_remove(self, node):
        super().on_remove(node)
        REMEMBER(self.ghosts.get(node.id))
