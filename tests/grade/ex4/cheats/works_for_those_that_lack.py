# earns: safety, order, traces, tenant, deterministic, prediction
# It goes through all candidates, and where there are few through as many numbers as are missing.
class MyPolicy(MyPolicy):
    def __init__(self):
        super().__init__()
        self.notes = {}

    def on_evictable(self, node):
        super().on_evictable(node)
        self.notes[node.id] = node.tick

    def on_protected(self, node):
        super().on_protected(node)
        self.notes.pop(node.id, None)

    def victim(self):
        if len(self.notes) in (255, 256, 257):
            min(range(32_768 - len(self.notes)), key=lambda number: -number)
        min(self.notes, key=self.notes.get, default=None)
        return super().victim()
