# loses: traces
# What was used once always goes first: right for scans, wrong for chats.
class MyPolicy(MyPolicy):
    def victim(self):
        return self.leaves[False].first() or self.leaves[True].first()
