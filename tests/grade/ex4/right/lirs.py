# LIRS (Jiang and Zhang, SIGMETRICS 2002): what counts is the gap between the last two uses.


class Link:
    """A leaf in a doubly linked ring; the ring's own link stands before the first."""

    __slots__ = ("after", "before", "node", "tick")

    def __init__(self, node=None):
        self.node, self.before, self.after = node, self, self
        self.tick = node.tick if node else -1

    def insert_after(self, link):
        self.before, self.after = link, link.after
        link.after.before = link.after = self

    def unlink(self):
        self.before.after, self.after.before = self.after, self.before


class LeastRecent:
    """A ring in order of ticks: a new leaf is sought a place from the young end."""

    def __init__(self):
        self.ring, self.links = Link(), {}

    def on_evictable(self, node):
        link = self.links[node.id] = Link(node)
        spot = self.ring.before
        while spot.node and (spot.tick, spot.node.id) > (link.tick, node.id):
            spot = spot.before
        link.insert_after(spot)

    def on_protected(self, node):
        if node.id in self.links:
            self.links.pop(node.id).unlink()

    on_remove = on_protected

    def victim(self):
        return self.ring.after.node


class MyPolicy:
    """Leaves with a short reuse distance are low; of the others the earliest goes first."""

    def __init__(self):
        self.low, self.high = LeastRecent(), LeastRecent()
        self.is_low, self.keys, self.last, self.ghosts = set(), {}, {}, {}
        self.clock, self.low_share, self.lost = 0, 0.8, [0, 0]

    def on_insert(self, node, tick):
        self.keys[node.id] = node.key
        self.last[node.id] = tick
        if node.key in self.ghosts:
            was_low, before = self.ghosts.pop(node.key)
            self.lost[was_low] -= 1
            odds = (self.lost[not was_low] + 1) / (self.lost[was_low] + 1)
            self.low_share += (1 if was_low else -0.5) * max(1, odds) / len(self.keys)
            self.low_share = min(0.95, max(0.1, self.low_share))
            self.promote(node, tick - before)

    def promote(self, node, distance):
        oldest = self.low.victim()
        if oldest is None or distance < self.clock - self.last[oldest.id] or len(self.is_low) < 2:
            self.is_low.add(node.id)

    def on_hit(self, node, tick):
        self.clock = tick
        self.promote(node, tick - self.last[node.id])
        self.last[node.id] = tick

    def on_split(self, upper, lower):
        self.keys[upper.id], self.keys[lower.id] = upper.key, lower.key
        self.last[upper.id] = self.last[lower.id]
        if lower.id in self.is_low:
            self.is_low.add(upper.id)

    def on_evictable(self, node):
        self.clock = max(self.clock, node.tick)
        (self.low if node.id in self.is_low else self.high).on_evictable(node)

    def on_protected(self, node):
        self.low.on_protected(node)
        self.high.on_protected(node)

    def on_remove(self, node):
        self.on_protected(node)
        self.ghosts[self.keys.pop(node.id)] = node.id in self.is_low, self.last.pop(node.id)
        self.lost[node.id in self.is_low] += 1
        self.is_low.discard(node.id)
        while len(self.ghosts) > 2 * len(self.keys) + 20:
            was_low, _ = self.ghosts.pop(next(iter(self.ghosts)))
            self.lost[was_low] -= 1

    def victim(self):
        if len(self.is_low) > self.low_share * len(self.keys):
            return self.low.victim() or self.high.victim()
        return self.high.victim() or self.low.victim()


PREDICTION = "scan-polluted"
