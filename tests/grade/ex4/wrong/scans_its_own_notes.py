# loses: examined
# It reads no node, but goes through a dictionary of its own for every victim.
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
        min(self.notes, key=self.notes.get, default=None)
        return super().victim()
