# loses: safety, traces, tenant, examined, deterministic, prediction
# victim() returns a number.
class MyPolicy(MyPolicy):
    def victim(self):
        return super().victim().id
