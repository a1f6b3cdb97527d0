# CAR (Bansal and Modha, FAST 2004): two clocks with reference bits, ghosts and a moving share.
from collections import deque


class Leaf:
    __slots__ = ("hit", "node", "waits")

    def __init__(self, node):
        self.node, self.hit, self.waits = node, False, True


class LeastRecent:
    """A list kept in order of ticks; a new candidate moves up from the end."""

    def __init__(self):
        self.line = []

    def on_evictable(self, node):
        place, tick = len(self.line), node.tick
        self.line.append(None)
        while place and self.line[place - 1][:2] > (tick, node.id):
            self.line[place] = self.line[place - 1]
            place -= 1
        self.line[place] = (tick, node.id, node)

    def on_protected(self, node):
        self.line = [entry for entry in self.line if entry[1] != node.id]

    on_remove = on_protected

    def victim(self):
        return self.line[0][2] if self.line else None


class MyPolicy:
    def __init__(self):
        self.clocks = deque(), deque()  # of candidates seen once, and more often
        self.leaves, self.again, self.keys, self.hit = {}, set(), {}, set()
        self.ghosts = {}, {}
        self.share = 0.5

    def on_insert(self, node, tick):
        key = self.keys[node.id] = node.key
        once, often = (len(ghosts) for ghosts in self.ghosts)
        step = 1 / len(self.keys)
        if self.ghosts[0].pop(key, False):
            self.share = min(1, self.share + step * max(1, often / once))
            self.again.add(node.id)
        elif self.ghosts[1].pop(key, False):
            self.share = max(0, self.share - step * max(1, once / often))
            self.again.add(node.id)

    def on_hit(self, node, tick):
        self.hit.add(node.id)

    def on_split(self, upper, lower):
        self.keys[upper.id], self.keys[lower.id] = upper.key, lower.key
        for marked in (self.again, self.hit):
            if lower.id in marked:
                marked.add(upper.id)

    def on_evictable(self, node):
        leaf = self.leaves[node.id] = Leaf(node)
        self.clocks[node.id in self.again].append(leaf)

    def on_protected(self, node):
        leaf = self.leaves.pop(node.id, None)
        if leaf:
            leaf.waits = False

    def on_remove(self, node):
        self.on_protected(node)
        self.hit.discard(node.id)
        ghosts = self.ghosts[node.id in self.again]
        self.again.discard(node.id)
        ghosts[self.keys.pop(node.id)] = True
        while len(ghosts) > 2 * len(self.keys) + 20:
            del ghosts[next(iter(ghosts))]

    def sweep(self, number):
        """Turn a clock's hand to a leaf that was not hit; one that was goes behind the others."""
        clock = self.clocks[number]
        while clock:
            leaf = clock[0]
            if not leaf.waits:
                clock.popleft()
            elif leaf.node.id in self.hit:
                self.hit.discard(leaf.node.id)
                self.again.add(leaf.node.id)
                self.clocks[1].append(clock.popleft())
            else:
                return leaf.node
        return None

    def victim(self):
        num_once = len(self.keys) - len(self.again)
        first = 0 if num_once > self.share * len(self.keys) else 1
        return self.sweep(first) or self.sweep(1 - first) or self.sweep(first)


PREDICTION = "scan-polluted"
