# loses: work
# Children are found by their first token, and then by looking through all that begin with it.
class Children(dict):
    def __init__(self):
        self.lists = {}

    def get(self, block):
        for own, child in self.lists.get(block[:1], ()):
            if own == block:
                return child

    def __setitem__(self, block, child):
        if block in self:
            del self[block]
        super().__setitem__(block, child)
        self.lists.setdefault(block[:1], []).append((block, child))

    def __delitem__(self, block):
        super().__delitem__(block)
        self.lists[block[:1]] = [pair for pair in self.lists[block[:1]] if pair[0] != block]


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
