# loses: traces
# alone
# LFU with dynamic ageing (Arlitt et al., 2000): a leaf starts where the last victim ended.
import heapq


class LeastRecent:
    def __init__(self):
        heap, current = [], {}

        def on_evictable(node):
            current[node.id] = node.tick, node
            heapq.heappush(heap, (node.tick, node.id))

        def gone(node):
            current.pop(node.id, None)
            if len(heap) > 3 * len(current) + 9:
                heap[:] = sorted((tick, id) for id, (tick, _) in current.items())

        def victim():
            while heap:
                tick, id = heap[0]
                if id in current and current[id][0] == tick:
                    return current[id][1]
                heapq.heappop(heap)
            return None

        self.on_evictable, self.on_protected, self.on_remove = on_evictable, gone, gone
        self.victim = victim


class MyPolicy:
    def __init__(self):
        heap, live, uses, keys, past = [], {}, {}, {}, {}
        recent = LeastRecent()
        age, regret = 0, 0.5

        def learn(uses_so_far, came_back):
            nonlocal regret
            if uses_so_far == 1:
                regret += 0.03 * (came_back - regret)

        def on_insert(node, tick):
            keys[node.id] = node.key
            before = past.pop(node.key, 0)
            learn(before, came_back=True)
            uses[node.id] = before + 1

        def on_hit(node, tick):
            learn(uses[node.id], came_back=True)
            uses[node.id] += 1

        def on_split(upper, lower):
            keys[upper.id], keys[lower.id] = upper.key, lower.key
            uses[upper.id] = uses[lower.id]

        def on_evictable(node):
            recent.on_evictable(node)
            rank = live[node.id] = (age + uses[node.id], node.tick)
            heapq.heappush(heap, (rank, node.id, node))

        def on_protected(node):
            live.pop(node.id, None)
            recent.on_protected(node)

        def on_remove(node):
            nonlocal age
            rank = live.pop(node.id, None)
            if rank:
                age = max(age, rank[0])
            recent.on_remove(node)
            learn(uses[node.id], came_back=False)
            past[keys.pop(node.id)] = uses.pop(node.id)
            while len(past) > 2 * len(keys) + 20:
                past.pop(next(iter(past)))

        def victim():
            if regret > 0.3:
                return recent.victim()
            while heap and live.get(heap[0][1]) != heap[0][0]:
                heapq.heappop(heap)
            return heap[0][2] if heap else None

        self.on_insert, self.on_hit, self.on_split = on_insert, on_hit, on_split
        self.on_evictable, self.on_protected = on_evictable, on_protected
        self.on_remove, self.victim = on_remove, victim


PREDICTION = "scan-polluted"
