# loses: traces, prediction
# Any candidate will do.
import random


class MyPolicy:
    def __init__(self):
        self.nodes, self.place, self.dice = [], {}, random.Random(7)

    def on_evictable(self, node):
        self.place[node.id] = len(self.nodes)
        self.nodes.append(node)

    def on_protected(self, node):
        place = self.place.pop(node.id, None)
        if place is not None:
            last = self.nodes.pop()
            if place < len(self.nodes):
                self.nodes[place] = last
                self.place[last.id] = place

    on_remove = on_protected

    def victim(self):
        return self.dice.choice(self.nodes) if self.nodes else None
