"""Who published: the endpoint, and the rank there, with names that tell several apart.

Each data-parallel rank of vLLM and SGLang has a cache and a publisher of its own, and numbers its
payloads itself. Two engines may also be watched at once. Both may call themselves rank 0.
"""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple


class Origin(NamedTuple):
    """A publisher."""

    source: str
    """The endpoint, where several are watched; else ""."""
    rank: int
    """The data-parallel rank that its payloads name."""


def names_of(origins: Collection[Origin]) -> dict[Origin, str]:
    """Name publishers as briefly as tells them apart; a single one of rank 0 is called "".

    >>> list(names_of([Origin("a:1", 0), Origin("a:2", 1)]).values())
    ['rank 0', 'rank 1']
    >>> list(names_of([Origin("a:1", 0), Origin("b:1", 0), Origin("b:1", 1)]).values())
    ['a:1', 'b:1, rank 0', 'b:1, rank 1']
    """
    ranks = Counter(origin.rank for origin in origins)
    sources = Counter(origin.source for origin in origins)
    if max(ranks.values(), default=0) <= 1:
        return {o: f"rank {o.rank}" if o.rank or len(origins) > 1 else "" for o in origins}
    return {o: o.source + _rank(o, sources[o.source] > 1) for o in origins}


def _rank(origin: Origin, is_one_of_several: bool) -> str:
    return f", rank {origin.rank}" if origin.rank or is_one_of_several else ""
