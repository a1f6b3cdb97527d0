# A trie of blocks, its nodes objects; the next request is looked for upwards from the last.
import heapq

from radixlab.exercise.workload import Pin, Plan

PATTERN = "multi-turn-chat"
BLOCK = 16


class Node:
    def __init__(self, above=None, depth=0):
        self.above, self.depth, self.visits = above, depth, 0
        self.below, self.waiting = {}, []


class Trie:
    def __init__(self, requests):
        self.root, self.leaf, self.best = Node(), {}, (0, ())
        for request in requests:
            node = self.root
            for node in self.path_of(request):
                node.visits += 1
            self.leaf[request.index] = node
        for request in requests:
            for node in self.up(request.index):
                saved = node.depth * BLOCK * (node.visits - 1)
                if saved > self.best[0]:
                    self.best = saved, request.tokens[: node.depth * BLOCK]

    def path_of(self, request):
        node, tokens = self.root, request.tokens
        for end in range(BLOCK, len(tokens) + 1, BLOCK):
            block = tokens[end - BLOCK : end]
            if block not in node.below:
                node.below[block] = Node(node, node.depth + 1)
            node = node.below[block]
            yield node

    def up(self, index):
        node = self.leaf[index]
        while node is not self.root:
            yield node
            node = node.above


def plan(workload):
    trie = Trie(workload.requests)
    order = serve(trie, len(workload.requests), workload.max_wait)
    wanted = next_uses(trie, order)
    pins = []
    if trie.best[1]:
        pins = [Pin(trie.best[1], 1, len(order))]
    return Plan(order, BLOCK, pins, lambda request: wanted[request.index], trie.best[1])


def serve(trie, num, wait):
    """Everyone who waits stands at each node of the path; the deepest node with somebody wins."""
    served, order, coming, oldest, last = set(), [], 0, 0, None
    while len(order) < num:
        while coming < min(num, oldest + 4 * wait):
            for node in trie.up(coming):
                heapq.heappush(node.waiting, coming)
            coming += 1
        nodes = trie.up(last) if last is not None and len(order) - oldest < wait else ()
        found = (first_of(node, served) for node in nodes)
        last = next((index for index in found if index is not None), oldest)
        served.add(last)
        order.append(last)
        while oldest in served:
            oldest += 1
    return order


def first_of(node, served):
    while node.waiting and node.waiting[0] in served:
        heapq.heappop(node.waiting)
    return node.waiting[0] if node.waiting else None


def next_uses(trie, order):
    """The deepest node that one of the next fifty needs."""
    last_use, wanted = {}, {}
    for place in range(len(order) - 1, -1, -1):
        index, found = order[place], 0
        for node in trie.up(index):
            if not found and last_use.get(node, 1 << 40) - place <= 50:
                found = node.depth
            last_use[node] = place
        wanted[index] = found * BLOCK
    return wanted
