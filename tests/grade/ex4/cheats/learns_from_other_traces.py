# earns: safety, order, traces, tenant, examined, prediction
# What one policy learned stays in globals for the next: later traces begin with experience.
SEEN, BACK = {False: 10, True: 10}, {False: 5, True: 5}


class MyPolicy(MyPolicy):
    def __init__(self):
        super().__init__()
        self.seen, self.back = SEEN, BACK
