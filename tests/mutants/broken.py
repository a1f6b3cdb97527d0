"""The broken engines, one or more for every starred rule; importing this registers them all.

Each is a change of a few lines that compiles, runs, and mostly answers right. Its docstring tells
what goes wrong, and in which engine it did go wrong where that is known.
"""

from tests.mutants.edits import MUTANTS
from tests.mutants.engines import (
    copies,
    events,
    eviction,
    host,
    keys,
    locks,
    matching,
    scheduling,
)

__all__ = [
    "MUTANTS",
    "copies",
    "events",
    "eviction",
    "host",
    "keys",
    "locks",
    "matching",
    "scheduling",
]
