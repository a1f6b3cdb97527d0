# loses: children, work
# A node has a thousand children at most: the oldest makes room.
class Children(dict):
    def __setitem__(self, block, child):
        super().__setitem__(block, child)
        if len(self) > 1_000:
            del self[next(iter(self))]


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
