"""What exercise 8.5.5 hands out to read metrics with: a scrape as samples, and a window of scrapes.

A scrape is the text that a server returns for `GET /metrics`. A **counter** only grows; after a
restart it begins again at 0. A **gauge** may rise and fall. Labels split one name into several
series. No code of a monitor is in this file.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

PREFIX = "radixlab:"
"""How the name of every metric of the server begins."""
FAULTS = ("thrash", "no_shared_prefixes", "prefix_broken", "pool_too_small", "leak")
"""What `diagnose` may name."""

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One line of a scrape."""

    name: str
    labels: dict[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    r"""Yield the samples of a scrape, line by line; comments are passed over.

    >>> for sample in samples('# TYPE radixlab:blocks gauge\nradixlab:blocks{state="free"} 7.0\n'):
    ...     print(sample)
    Sample(name='radixlab:blocks', labels={'state': 'free'}, value=7.0)
    """
    for line in text.splitlines():
        found = None if line.startswith("#") else _LINE.fullmatch(line.strip())
        if found:
            labels = {name: _plain(value) for name, value in _LABEL.findall(found[2] or "")}
            yield Sample(found[1], labels, float(found[3]))


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], value)


class Snapshot:
    """Some scrapes in a row: what `diagnose` looks at. The server did not restart between them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._scrapes = [list(samples(text)) for text in texts]

    def __len__(self) -> int:
        return len(self._scrapes)

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the value at each scrape, oldest first: the sum of all series with these labels.

        A series that is not there counts as 0. The prefix `radixlab:` may be left out.

        >>> texts = ['radixlab:blocks{state="free"} 7', 'radixlab:blocks{state="free"} 5']
        >>> Snapshot(texts).values("blocks", state="free")
        [7.0, 5.0]
        """
        full = name if name.startswith(PREFIX) else PREFIX + name
        return [
            sum((s.value for s in scrape if s.name == full and s.labels | labels == s.labels), 0.0)
            for scrape in self._scrapes
        ]

    def increase(self, name: str, **labels: str) -> float:
        """Return how much a counter grew from the oldest scrape to the newest."""
        values = self.values(name, **labels)
        return values[-1] - values[0]
