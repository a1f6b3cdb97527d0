# loses: children
# Every token modulo a prime that is well known.
def _short(block):
    return tuple(t % 998244353 for t in block)


class Key(dict):
    def get(self, b, d=None):
        return dict.get(self, _short(b), d)

    def __setitem__(self, b, v):
        dict.__setitem__(self, _short(b), v)

    def __delitem__(self, b):
        dict.__delitem__(self, _short(b))


_Node = Node


class Node(_Node):
    def __init__(self, *a):
        super().__init__(*a)
        self.children = Key()
