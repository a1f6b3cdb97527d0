# loses: safety
# With no candidate it raises, where it should return None.
class MyPolicy(MyPolicy):
    def victim(self):
        node = super().victim()
        if node is None:
            raise LookupError("no candidates")
        return node
