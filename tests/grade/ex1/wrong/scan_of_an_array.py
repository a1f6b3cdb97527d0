# loses: work
# Children in an array: every look-up compares with them all, fast.
import numpy as np


class Children(dict):
    rows, table, size = None, None, 0

    def __init__(self):
        self.table = []

    def get(self, block):
        if not self.table or len(block) != self.rows.shape[1]:
            return None
        hits = (self.rows[: len(self.table)] == np.array(block)).all(axis=1).nonzero()[0]
        return self.table[hits[0]] if len(hits) else None

    def __setitem__(self, block, child):
        super().__setitem__(block, child)
        if self.rows is None:
            self.rows = np.empty((16, len(block)), np.int64)
        if len(self.table) == len(self.rows):
            self.rows = np.concatenate([self.rows, self.rows])
        known = (
            [i for i, own in enumerate(self.rows[: len(self.table)]) if tuple(own) == block]
            if len(self.table) < 100
            else (self.rows[: len(self.table)] == np.array(block)).all(axis=1).nonzero()[0]
        )
        if len(known):
            self.table[known[0]] = child
        else:
            self.rows[len(self.table)] = block
            self.table.append(child)

    def __delitem__(self, block):
        super().__delitem__(block)
        items = list(self.items())
        self.rows, self.table = None, []
        for key, child in items:
            self[key] = child


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
