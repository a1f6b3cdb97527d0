# Frozen records: a Use for each prefix of each request, and a Waiting for each who waits.
from dataclasses import dataclass, field

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan, Request


@dataclass(slots=True)
class Prefix:
    depth: int
    uses: list = field(default_factory=list)

    @property
    def saves(self):
        return 8 * self.depth * (len(self.uses) - 1)


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    prefixes: tuple

    def shares(self, other):
        if other is None:
            return 0
        pairs = zip(self.prefixes, other.prefixes, strict=False)
        return next(
            (depth for depth, (a, b) in enumerate(pairs) if a is not b),
            min(len(self.prefixes), len(other.prefixes)),
        )


@dataclass(slots=True)
class Planner:
    visits: list
    max_wait: int
    order: list = field(default_factory=list)

    def arrange(self):
        left = list(self.visits)
        while left:
            last = self.order[-1] if self.order else None
            hurry = len(self.order) >= left[0].request.index + self.max_wait
            near = left[:1] if hurry else left[: 3 * self.max_wait]
            best = max(range(len(near)), key=lambda at: near[at].shares(last))
            self.order.append(left.pop(best))
        for position, visit in enumerate(self.order):
            for prefix in visit.prefixes:
                prefix.uses.append(position)

    def again(self):
        """Yield each visit with its position, the steps used again, and when."""
        turn = {}
        for position, visit in enumerate(self.order):
            steps = use = 0
            for prefix in visit.prefixes:
                turn[id(prefix)] = turn.get(id(prefix), 0) + 1
                if turn[id(prefix)] == len(prefix.uses):
                    break
                steps, use = prefix.depth, prefix.uses[turn[id(prefix)]]
            for prefix in visit.prefixes[steps + 1 :]:
                turn[id(prefix)] = turn.get(id(prefix), 0) + 1
            yield visit, position, steps, use


def visits_of(requests):
    known = {}
    for request in requests:
        found, above = [], None
        for end in range(8, len(request.tokens) + 1, 8):
            key = id(above), request.tokens[end - 8 : end]
            above = known.setdefault(key, Prefix(end // 8))
            found.append(above)
        yield Visit(request, tuple(found))


def plan(workload):
    planner = Planner(list(visits_of(workload.requests)), workload.max_wait)
    planner.arrange()
    amounts, pins = {}, []
    for visit, position, steps, use in planner.again():
        amounts[visit.request] = 8 * steps
        if steps and use > position + 8:
            pins.append(Pin(visit.request.tokens[: 8 * steps], position + 1, use + 1))
    best, hot_spot = 0, ()
    for visit in planner.visits:
        for prefix in visit.prefixes:
            if prefix.saves > best:
                best, hot_spot = prefix.saves, visit.request.tokens[: 8 * prefix.depth]
    size = 8
    for larger in BLOCK_SIZES:
        if sum(a % larger for a in amounts.values()) <= 0.06 * sum(amounts.values()):
            size = larger
    order = [visit.request.index for visit in planner.order]
    return Plan(order, size, pins, amounts.__getitem__, hot_spot)
