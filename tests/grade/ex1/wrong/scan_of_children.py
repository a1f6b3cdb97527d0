# loses: work
# Children in a list: every look-up goes through them all.
class Children(dict):
    def get(self, key):
        return next((child for own, child in self.items() if own == key), None)


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
