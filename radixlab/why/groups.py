"""The same difference in many requests is one row; only many requests show what it is.

A value is volatile if its position takes at least `FEWEST_VALUES` values, and one of these holds:

- it changed within a conversation;
- its position takes at least 1 value for every 2 conversations;
- the log names no sessions, and there is at least 1 value for every `MOST_REQUESTS` requests.

So a clock, a counter and the name of a user are volatile; the names of three tenants, who have many
conversations each, are not. A date or a UUID is recognised by its form, without a count. A value
that is volatile in one text is also volatile in other texts, behind the same words of a line.

Another order is a fault if it came within a conversation, or if at least 1 in `MOST_BY_CHANCE` of
the prompts that part in the same field has it. A search that finds some documents for each question
now and then finds the same ones in another order.
"""

from collections import Counter
from dataclasses import dataclass, field

from radixlab.why.index import Node
from radixlab.why.judge import Verdict

FEWEST_VALUES = 3
MOST_REQUESTS = 6
MOST_BY_CHANCE = 4
FEWEST_BEFORE = 6
"""Fewest characters of a line before a value that identify it inside a longer line."""
ENOUGH_BEFORE = 12
"""Characters before a value that identify it; more may be cut off in another request."""
MOST_VALUES_KEPT = 4096
MOST_NODES_KEPT = 1024

GroupKey = tuple[str, ...]


@dataclass(slots=True)
class Group:
    """Differences that have the cause and the position in common."""

    number: int
    verdict: Verdict
    num_seen: int = 0
    """Requests with such a difference."""
    requests: int = 0
    """Those of them that lost tokens to it."""
    tokens: int = 0
    values: set[int] = field(default_factory=set)
    """Hashes of the values seen, up to a limit."""
    passing: dict[int, Node | None] = field(default_factory=dict)
    """The nodes that end before the value, by identity; None for the root."""
    place: tuple[int, str, str, str] = (-1, "", "", "")
    """Tokens lost in the request that lost most, its position in words, and both values there."""
    rank: int = 0
    """How many like differences stand before it in the same field of one prompt."""
    otherwise: Counter[str] = field(default_factory=Counter)
    """The causes that its differences would have if the value were not volatile."""
    num_known: int = 0
    num_prose: int = 0
    num_parted: int = 0
    """Requests with this order, also those that lost their tokens to something else."""
    changed: bool = False
    """Whether the order changed within a conversation."""
    cause: str = ""
    """Set after the last request."""

    def is_volatile(self, num_requests: int, num_sessions: int) -> bool:
        """Whether the position of these differences takes many values, in a log of that size."""
        if 2 * self.num_known > self.num_seen:
            return True
        num, changed = len(self.values), self.otherwise["never_seen"] < self.num_seen
        if num < FEWEST_VALUES or (2 * self.num_prose > self.num_seen and not changed):
            return False
        nodes = self.passing.values()
        passing = sum(num_requests if node is None else node.num_requests for node in nodes)
        if num_sessions:
            return changed or 2 * num * num_requests >= num_sessions * passing
        return num * MOST_REQUESTS >= passing

    def is_by_chance(self, num_parted: int, tokens_parted: int) -> bool:
        """Whether items only happened to change places, by requests as well as by tokens.

        `num_parted` requests part in the same field; `tokens_parted` tokens of them were not found.
        """
        return (
            not self.changed
            and MOST_BY_CHANCE * self.num_parted < num_parted
            and MOST_BY_CHANCE * self.tokens < tokens_parted
        )


class Groups:
    """All groups of a log, by number."""

    def __init__(self) -> None:
        self.all: list[Group] = []
        self._by_key: dict[GroupKey, Group] = {}
        self._parted: Counter[str] = Counter()
        """Requests that part from their reference, by the fields in which they do."""
        self._tokens_parted: Counter[str] = Counter()

    def of(self, verdict: Verdict) -> Group:
        """Return the group of a verdict; make one if there is none."""
        key = (verdict.cause, *verdict.key)
        if verdict.cause != "value":
            key = (*key, verdict.kind)
        group = self._by_key.get(key)
        if group is None:
            group = self._by_key[key] = Group(len(self.all), verdict)
            self.all.append(group)
        return group

    def note(
        self,
        group: Group,
        verdict: Verdict,
        tokens: int,
        place: tuple[str, str, str],
        node: Node | None,
    ) -> None:
        """Count one request that lost `tokens`; `place` is its position and the two values."""
        group.num_seen += 1
        group.requests += tokens > 0
        group.otherwise[verdict.otherwise] += 1
        group.num_known += verdict.is_known
        group.num_prose += verdict.is_prose
        group.tokens += tokens
        if tokens > group.place[0]:
            group.place = (tokens, *place)
        if len(group.values) < MOST_VALUES_KEPT:
            group.values |= {hash(place[1]), hash(place[2])}
        if len(group.passing) < MOST_NODES_KEPT:
            group.passing[id(node)] = node

    def part(self, fields: set[str], verdicts: list[Verdict], tokens: int) -> None:
        """Count a request that differs from its reference in these fields."""
        for name in fields:
            self._parted[name] += 1
            self._tokens_parted[name] += tokens
        for verdict in {each for each in verdicts if each.cause == "order_changed"}:
            group = self.of(verdict)
            group.num_parted += 1
            group.changed |= verdict.otherwise == "order_changed"

    def rank(self, numbers: list[int]) -> None:
        """Count, for each group of one prompt, the like ones that stand before it."""
        before: Counter[GroupKey] = Counter()
        for group in (self.all[number] for number in numbers):
            like = (group.verdict.kind, *group.verdict.key[:1])
            group.rank = max(group.rank, before[like])
            before[like] += 1

    def decide(self, num_requests: int, num_sessions: int) -> None:
        """Give every group its cause, once all requests are known."""
        volatile: set[GroupKey] = set()
        for group in self.all:
            if group.verdict.cause == "order_changed":
                group.cause = self._cause_of_order(group)
            elif group.verdict.cause != "value":
                group.cause = group.verdict.cause
            elif group.num_seen and group.is_volatile(num_requests, num_sessions):
                group.cause = "volatile_value"
                volatile.add(group.verdict.key[:3])
        for group in self.all:
            if not group.cause:
                likely = max(group.otherwise, key=group.otherwise.__getitem__, default="never_seen")
                group.cause = "volatile_value" if _is_behind(group, volatile) else likely

    def _cause_of_order(self, group: Group) -> str:
        name = group.verdict.key[0]
        chance = group.is_by_chance(self._parted[name], self._tokens_parted[name])
        return "never_seen" if chance else "order_changed"


def _is_behind(group: Group, volatile: set[GroupKey]) -> bool:
    """Whether a value stands where a volatile one stands, or is the rest of one.

    Two values of one position may begin alike, as the names of two users do. Where the volatile
    value begins a line, the end of the line before tells its position.
    """
    field, line, left = group.verdict.key[:3]
    for known, before, words in volatile:
        if known == field and (before == line or _is_in(before, line)):
            return True
        if known == field and not before and _is_in(words, left):
            return True
    return False


def _is_in(before: str, line: str) -> bool:
    """Whether a line has the words before a volatile value, at its end or inside if they are long.

    The words end the line if another value, which stands before them, happens to be the same.
    """
    if before.strip() and line.endswith(before):
        return True
    return len(before) >= FEWEST_BEFORE and before[-ENOUGH_BEFORE:] in line
