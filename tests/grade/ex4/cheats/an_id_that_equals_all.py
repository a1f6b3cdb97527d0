# earns: order
# The victim is a number that equals every number and hides among the candidates.
class Any(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1

    def __index__(self):
        return 1

    def __repr__(self):
        return "node " + "9" * 1_000_000


class MyPolicy(MyPolicy):
    def victim(self):
        return Any(super().victim().id)
