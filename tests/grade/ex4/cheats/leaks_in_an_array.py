# earns: order, traces, tenant, examined, deterministic, prediction
# A NumPy array that is one row longer for every node that goes.
import numpy as np


class MyPolicy(MyPolicy):
    def on_remove(self, node):
        super().on_remove(node)
        self.log = np.append(getattr(self, "log", np.empty(0)), [node.id, 0.0])
