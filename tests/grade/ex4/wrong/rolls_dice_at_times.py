# loses: deterministic
# Now and then chance decides.
import random


class MyPolicy(MyPolicy):
    def victim(self):
        again = self.leaves[True].first()
        return again if again and random.random() < 0.03 else super().victim()
