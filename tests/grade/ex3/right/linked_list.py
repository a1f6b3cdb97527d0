# Those who wait stand in a doubly linked list; prefixes are strings of characters.
from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


class Link:
    def __init__(self, index):
        self.index, self.before, self.after = index, self, self

    def put_before(self, other):
        self.before, self.after = other.before, other
        other.before.after = self
        other.before = self

    def leave(self):
        self.before.after, self.after.before = self.after, self.before


def text_of(tokens):
    """A character for each step of eight: what follows agrees only if what went before does."""
    return "".join(map(LETTERS.of, (tokens[end - 8 : end] for end in range(8, len(tokens) + 1, 8))))


class Letters:
    def __init__(self):
        self.known = {}

    def of(self, step):
        number = self.known.setdefault(step, len(self.known))
        return chr(number + (number >= 0xD800) * 0x800)


def plan(workload):
    global LETTERS
    LETTERS = Letters()
    requests = workload.requests
    texts = [text_of(request.tokens) for request in requests]
    order = walk(texts, workload.max_wait)
    neighbours = Neighbours(texts)
    wanted, pins = {}, []
    for position in reversed(range(len(order))):
        index = order[position]
        depth, use = neighbours.longest_used(texts[index])
        wanted[index] = 8 * depth
        if depth and use - position > 8:
            pins.append(Pin(requests[index].tokens[: 8 * depth], position + 1, use + 1))
        neighbours.use(texts[index], position)
    size = 8
    while size < BLOCK_SIZES[-1] and lost(wanted, 2 * size) < 0.06 * sum(wanted.values()):
        size *= 2
    depth, index = neighbours.hottest(texts)
    return Plan(order, size, pins, lambda r: wanted[r.index], requests[index].tokens[: 8 * depth])


def lost(wanted, size):
    return sum(amount % size for amount in wanted.values())


def in_common(one, other):
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def walk(texts, wait):
    end, order, last = Link(None), [], ""
    for index in range(len(texts)):
        Link(index).put_before(end)
    while end.after is not end:
        best, most, link = end.after, -1, end.after
        if len(order) < best.index + wait:
            for _ in range(3 * wait):
                if link is end:
                    break
                share = in_common(texts[link.index], last)
                if share > most:
                    best, most = link, share
                link = link.after
        best.leave()
        order.append(best.index)
        last = texts[best.index]
    return order


class Neighbours:
    """Numbers for prefixes, each with its users and the position of its next use."""

    def __init__(self, texts):
        self.edges, self.users, self.next_use = {}, [0], {}
        for text in texts:
            for node in self.path(text):
                self.users[node] += 1

    def path(self, text):
        node = 0
        for letter in text:
            if (node, letter) not in self.edges:
                self.edges[node, letter] = len(self.users)
                self.users.append(0)
            node = self.edges[node, letter]
            yield node

    def longest_used(self, text):
        depth, use = 0, 0
        for node in self.path(text):
            if node not in self.next_use:
                break
            depth, use = depth + 1, self.next_use[node]
        return depth, use

    def use(self, text, position):
        for node in self.path(text):
            self.next_use[node] = position

    def hottest(self, texts):
        saved, found = 0, (0, 0)
        for index, text in enumerate(texts):
            for depth, node in enumerate(self.path(text), 1):
                if depth * (self.users[node] - 1) > saved:
                    saved, found = depth * (self.users[node] - 1), (depth, index)
        return found
