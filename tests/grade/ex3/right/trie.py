# A trie of steps, its nodes objects; the next request is looked for upwards from the last.
import heapq

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan

STEP = 8


class Node:
    def __init__(self, above=None, depth=0):
        self.above, self.depth, self.visits = above, depth, 0
        self.below, self.waiting, self.next_use = {}, [], None


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
                saved = node.depth * STEP * (node.visits - 1)
                if saved > self.best[0]:
                    self.best = saved, request.tokens[: node.depth * STEP]

    def path_of(self, request):
        node, tokens = self.root, request.tokens
        for end in range(STEP, len(tokens) + 1, STEP):
            step = tokens[end - STEP : end]
            if step not in node.below:
                node.below[step] = Node(node, node.depth + 1)
            node = node.below[step]
            yield node

    def up(self, index):
        node = self.leaf[index]
        while node is not self.root:
            yield node
            node = node.above


def plan(workload):
    requests = workload.requests
    trie = Trie(requests)
    order = serve(trie, len(requests), workload.max_wait)
    wanted, pins = {}, []
    for position in range(len(order) - 1, -1, -1):
        index = order[position]
        again = next((node for node in trie.up(index) if node.next_use is not None), None)
        wanted[index] = again.depth * STEP if again else 0
        if again and again.next_use - position > 6:
            tokens = requests[index].tokens[: wanted[index]]
            pins.append(Pin(tokens, position + 1, again.next_use + 1))
        for node in trie.up(index):
            node.next_use = position
    pins.reverse()
    size = block_size(sorted(amount for amount in wanted.values() if amount))
    return Plan(order, size, pins, lambda request: wanted[request.index], trie.best[1])


def block_size(amounts):
    """So large that rounding down costs a fifteenth of all that is wanted."""
    for size in reversed(BLOCK_SIZES):
        if 15 * sum(amount % size for amount in amounts) <= sum(amounts):
            return size


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
