# earns: safety, order, traces, tenant, deterministic, prediction
# below scans_its_own_notes
# Where there are few candidates it goes through as many numbers as are missing.
class MyPolicy(MyPolicy):
    def victim(self):
        if len(self.notes) in (255, 256, 257):
            min(range(32_768 - len(self.notes)), key=lambda number: -number)
        return super().victim()
