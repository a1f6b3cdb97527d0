# loses: safety, traces, tenant, deterministic, prediction
# It names nobody when it is in doubt.
class MyPolicy(MyPolicy):
    def victim(self):
        once, again = self.leaves[False].first(), self.leaves[True].first()
        return None if once and again else once or again
