"""Which earlier request is a prompt compared with? With the one that has most of its text.

Candidates are the last request of the same session, the last one that continues the prefix that was
found, and those that share most sampled windows of text (`anchors.py`). The reference is the
candidate that shares most windows with the rest of the prompt. The request of the same session is
preferred if it shares nearly as many. It stays a candidate without any common window, because a
conversation may have lost a message and go on with new text. Where the log names no session, so
does the last one that continues the prefix.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np

from radixlab.why.anchors import Anchors, AnchorTable, anchors_of, num_shared
from radixlab.why.cache import Asked, Layers, Scope, apart
from radixlab.why.request import Request
from radixlab.why.source import Source

MOST_ALIKE = 2
FEWEST_VOTES = 2
"""Common windows below which a request that only resembles a prompt is not looked at."""
LEAST_COMMON = 0.1
"""Share of the windows from which on two prompts have something in common: words come by chance."""
MANY_VOTES = 4
"""Common windows from which on even a prompt that only continues another is compared."""
SESSION_FIRST = 0.8
"""Share of the best candidate's windows from which on the same session's last request is taken."""
MOST_SESSIONS = 200_000
MOST_SAMPLED = 4096
"""Prompts whose windows are kept, 4 kB each at most."""


class References:
    """Finds the reference of each prompt, and remembers what later ones need."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._table = AnchorTable()
        self._last_of: OrderedDict[str, int] = OrderedDict()
        self._firsts = array("q")
        self._sampled: OrderedDict[int, Anchors] = OrderedDict()

    @property
    def num_sessions(self) -> int:
        """Return how many sessions the log names, up to a limit."""
        return len(self._last_of)

    def find(self, request: Request, asked: Asked, layers: Layers, rest: Anchors) -> list[int]:
        """Return the reference, and behind it one of another scope if that one has more."""
        last = self._last_of.get(request.session) if request.session else None
        seen = layers.seen_anywhere
        alike = self._table.most_alike(rest, MOST_ALIKE)
        candidates = {number for number, votes in alike if votes >= FEWEST_VOTES}
        candidates |= {number for number in (last, seen.beyond) if number is not None}
        likely = last if request.session else seen.beyond
        if candidates <= {likely}:
            return list(self._scopes(request, asked, candidates))
        counts = {number: self._num_common(number, rest) for number in candidates}
        least = max(1, LEAST_COMMON * len(rest))
        counts = {n: num for n, num in counts.items() if n == likely or num >= least}
        scopes = self._scopes(request, asked, counts)
        own = [n for n, scope in scopes.items() if scope == asked.scope]
        best_own = self._best(own, counts, last)
        best = self._best(list(scopes), counts, last)
        if best_own is None:
            return [] if best is None else [best]
        if best is not None and counts[best] > counts[best_own] and best not in own:
            return [best_own, best]
        return [best_own]

    def _scopes(self, request: Request, asked: Asked, numbers: Iterable[int]) -> dict[int, Scope]:
        """Return the scopes of those requests that a prompt can be compared with."""
        requests = {number: self._source.prompt(number).request for number in numbers}
        return {
            number: earlier.scope
            for number, earlier in requests.items()
            if apart(earlier.scope) == apart(asked.scope)
            and (earlier.token_ids is None) == (request.token_ids is None)
        }

    def goes_on_elsewhere(self, request: Request, owner: int | None, rest: Anchors) -> bool:
        """Whether a prompt that continues one request has much of its new text from another."""
        last = self._last_of.get(request.session) if request.session else owner
        if last is not None and last != owner:
            return True
        alike = self._table.most_alike(rest, 1)
        return bool(alike) and alike[0][1] >= max(MANY_VOTES, len(rest) // 4)

    def first_of(self, number: int) -> int:
        """Return the request with which the conversation of request `number` began."""
        return self._firsts[number]

    def add(
        self,
        request: Request,
        number: int,
        rest: Anchors,
        continues: int | None,
        is_whole: bool,
    ) -> None:
        """Remember a prompt: its session, and the windows that no earlier prompt has there.

        Without a session, `continues` is an earlier request of the same conversation, if known.
        `is_whole` tells whether these are the windows of the whole prompt.
        """
        before = self._last_of.get(request.session) if request.session else continues
        self._firsts.append(number if before is None else self._firsts[before])
        self._table.add(rest, number)
        if is_whole:
            self._sample(number, rest)
        if request.session:
            self._last_of[request.session] = number
            self._last_of.move_to_end(request.session)
            if len(self._last_of) > MOST_SESSIONS:
                self._last_of.popitem(last=False)

    def _best(self, numbers: list[int], counts: dict[int, int], last: int | None) -> int | None:
        if not numbers:
            return None
        best = max(numbers, key=lambda number: (counts[number], number))
        if last in numbers and last is not None and counts[last] >= SESSION_FIRST * counts[best]:
            return last
        return best

    def _num_common(self, number: int, rest: Anchors) -> int:
        """Return how many windows of the rest of a prompt an earlier request has anywhere."""
        sampled = self._sampled.get(number)
        if sampled is None:
            prompt = self._source.prompt(number)
            sampled = self._sample(number, anchors_of(prompt.tokens, prompt.are_bytes))
        return num_shared(rest, sampled)

    def _sample(self, number: int, anchors: Anchors) -> Anchors:
        """Keep the windows of a whole prompt for a while, in ascending order."""
        self._sampled[number] = ordered = np.sort(anchors)
        if len(self._sampled) > MOST_SAMPLED:
            self._sampled.popitem(last=False)
        return ordered
