# loses: children
# A polynomial in 64 bits, with the factor of a known generator.
def _short(block):
    h = 0
    for t in block:
        h = (h * 6364136223846793005 + t) & 0xFFFFFFFFFFFFFFFF
    return h


class Key(dict):
    def get(self, b, d=None):
        return dict.get(self, (len(b), _short(b)), d)

    def __setitem__(self, b, v):
        dict.__setitem__(self, (len(b), _short(b)), v)

    def __delitem__(self, b):
        dict.__delitem__(self, (len(b), _short(b)))


_Node = Node


class Node(_Node):
    def __init__(self, *a):
        super().__init__(*a)
        self.children = Key()
