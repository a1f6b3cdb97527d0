# loses: work
# Keys are bytes, so that no token is compared; and yet every look-up goes through all children.
from array import array


class Children(dict):
    def get(self, key):
        key = bytes(array("q", key))
        for own in self:
            if own == key:
                return self[own]

    def __setitem__(self, key, child):
        super().__setitem__(bytes(array("q", key)), child)

    def __delitem__(self, key):
        super().__delitem__(bytes(array("q", key)))


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
