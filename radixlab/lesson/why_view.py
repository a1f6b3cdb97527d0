"""`why(log)`: the report of `radixlab why` in a notebook's cell.

This file knows notebooks. It does not know how causes are found.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.why.report import Report
from radixlab.why.show.page import cell, save_page
from radixlab.why.show.table import table
from radixlab.why.show.tree import tree_text
from radixlab.why.show.words import Prices

MOST_LINES = 20
"""Branches of the tree that the text shows."""


@dataclass(frozen=True, slots=True)
class Why:
    """A report that shows itself: as HTML, and as the same text on every machine."""

    report: Report
    name: str
    prices: Prices | None = None

    @property
    def text(self) -> str:
        """The tables, and the first branches of the tree."""
        lines = tree_text(self.report.branches)
        more = [f"… and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
        tree = ["", "the tree of prompts", *lines[:MOST_LINES], *more] if lines else []
        return "\n".join([table(self.report, self.name, self.prices), *tree])

    def save(self, path: str | Path) -> None:
        """Write the report as one offline page."""
        print(save_page(Path(path), self.report, self.name, self.prices))

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/plain": self.text, "text/html": cell(self.report, self.name, self.prices)}


def why(
    log: str | Path | Iterable[Mapping[str, Any]],
    *,
    price: float | None = None,
    cached_price: float = 0.0,
    **settings: Any,
) -> Why:
    """Say why prompts missed the prefix cache.

    Parameters
    ----------
    log
        A log's path, or the bodies of requests as they are sent to a server.
    settings
        Those of `radixlab.why.explain.explain`, such as `block_size` or `ttl`.
    """
    from radixlab.why.explain import explain  # imported when it is called: lessons start sooner

    prices = None if price is None else Prices(price, cached_price)
    if isinstance(log, str | Path):
        return Why(explain(log, **settings), Path(log).name, prices)
    with tempfile.TemporaryDirectory(prefix="radixlab-why-") as folder:
        path = Path(folder) / "bodies.jsonl"
        path.write_text("".join(f"{json.dumps(body)}\n" for body in log), encoding="utf-8")
        return Why(explain(path, **settings), "these requests", prices)
