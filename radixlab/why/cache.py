"""The cache that a log is replayed through: what it finds of each prompt, and why not the rest.

One walk down the tree of prefixes finds the tokens that were ever asked for, and those among them
that have not expired. The pool, if its size is given, says which tokens are not evicted. The
profile says which of the remaining tokens count. So the tokens of a prompt fall into layers, each
inside the one before:

    seen in any scope ⊇ in this scope ⊇ not expired ⊇ not evicted ⊇ found
"""

from dataclasses import dataclass

from radixlab.why.digests import Digests, TokenArray
from radixlab.why.index import EVER, PrefixIndex, Seen
from radixlab.why.pool import Pool
from radixlab.why.profiles import LOOKBACK_PARTS, Profile

Scope = tuple[tuple[str, str], ...]
APART = frozenset(("cache_salt",))
"""What separates requests on purpose: another salt is another customer."""


MOST_SHORT = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt that the cache is asked for."""

    number: int
    scope: Scope
    tokens: TokenArray
    digests: Digests
    time: float | None
    part_ends: tuple[int, ...] = ()
    """In tokens; like `breakpoints`, only for profiles with breakpoints."""
    breakpoints: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Layers:
    """How many tokens of a prompt are in each layer, and the walks that have found them."""

    anywhere: int
    in_scope: int
    alive: int
    kept: int
    found: int
    minimum: int
    is_short: bool
    """Whether the same prompt was there before, but is not longer than a block."""
    seen: Seen
    seen_anywhere: Seen


class Cache:
    """Serves the prompts of a log one after another."""

    def __init__(self, profile: Profile, num_blocks: int | None, ttl: float | None) -> None:
        self.profile, self.ttl = profile, ttl
        self.index = PrefixIndex()
        self.pool = Pool(num_blocks, profile.block_size) if num_blocks else None
        self._anywhere: PrefixIndex | None = None
        """The prefixes of all scopes; None while there is only one."""
        self._short: dict[tuple[Scope, bytes], None] = {}
        """Prompts that are not longer than a block, the last ones."""
        self._ends: dict[tuple[Scope, int, int], float] = {}
        """Prefixes that end at a breakpoint: when they were last used."""

    def serve(self, asked: Asked) -> Layers:
        """Return what is found of a prompt, and keep the prompt."""
        since = EVER
        if self.ttl is not None and asked.time is not None:
            since = asked.time - self.ttl
        size, num_tokens = self.profile.block_size, len(asked.tokens)
        most = (num_tokens - 1) // size
        seen = self.index.find(asked.scope, asked.digests, since)
        seen_anywhere = self._find_anywhere(asked, seen)
        in_scope, alive = min(seen.num_blocks, most) * size, min(seen.num_live, most) * size
        kept = alive
        if self.pool is not None:
            kept = min(alive, self.pool.serve(asked.scope, asked.tokens))
        minimum = self.profile.minimum_for(asked.scope)
        usable = self._at_breakpoint(asked, kept, since) if self.profile.breakpoints else kept
        found = self.profile.usable(usable, minimum)
        anywhere = min(seen_anywhere.num_blocks, most) * size
        time = EVER if asked.time is None else asked.time
        self.index.add(asked.scope, asked.digests, seen, asked.number, time)
        short = self._is_short(asked)
        return Layers(anywhere, in_scope, alive, kept, found, minimum, short, seen, seen_anywhere)

    def _is_short(self, asked: Asked) -> bool:
        """Whether a prompt that no block can hold comes again; remember it."""
        if len(asked.tokens) > self.profile.block_size:
            return False
        key = asked.scope, asked.tokens.tobytes()
        comes_again = key in self._short
        self._short.pop(key, None)
        self._short[key] = None
        if len(self._short) > MOST_SHORT:
            del self._short[next(iter(self._short))]
        return comes_again

    def _find_anywhere(self, asked: Asked, seen: Seen) -> Seen:
        """Walk down the tree of all scopes, and keep the prompt there."""
        if self._anywhere is None:
            if not self.index.roots or list(self.index.roots) == [asked.scope]:
                return seen
            self._anywhere = self.index.copy_as(apart(next(iter(self.index.roots))))
        scope = apart(asked.scope)
        wider = self._anywhere.find(scope, asked.digests)
        self._anywhere.add(scope, asked.digests, wider, asked.number)
        return wider

    def _at_breakpoint(self, asked: Asked, kept: int, since: float) -> int:
        """Return the longest prefix that was kept at a breakpoint, and keep those of this one.

        An earlier breakpoint counts if it is at most `LOOKBACK_PARTS` blocks of content before one
        of this request (Anthropic's rule).
        """
        found, time = 0, EVER if asked.time is None else asked.time
        for point in asked.breakpoints:
            ends = [end for end in asked.part_ends if end <= point][-2 * LOOKBACK_PARTS :]
            for end in {*ends, point}:
                key = (asked.scope, end, int(asked.digests[end - 1])) if end else None
                known = key in self._ends and self._ends[key] >= since if key else False
                if known and found < end <= kept:
                    found = end
        for point in asked.breakpoints:
            if point:
                key = (asked.scope, point, int(asked.digests[point - 1]))
                self._ends[key] = max(time, self._ends.get(key, EVER))
        return found


def apart(scope: Scope) -> Scope:
    """Return the part of a scope that keeps requests apart on purpose."""
    return tuple(pair for pair in scope if pair[0] in APART)
