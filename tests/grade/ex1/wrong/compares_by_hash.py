# loses: children
# Inside a node, blocks are compared by their hash.
class Tokens(tuple):
    def __getitem__(self, index):
        part = super().__getitem__(index)
        return Hashed(part) if isinstance(index, slice) else part


class Hashed(Tokens):
    def __ne__(self, other):
        return hash(self) != hash(other)

    __hash__ = tuple.__hash__


class Node(Node):
    def __setattr__(self, name, value):
        super().__setattr__(name, Tokens(value) if name == "tokens" else value)
