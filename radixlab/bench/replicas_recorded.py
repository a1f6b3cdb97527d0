"""What `radixlab bench replicas` found on the day of its record, for readers without Ray.

    radixlab bench replicas --json > found.json
    python -m radixlab.bench.replicas_recorded found.json

The second command stores the figures beside this file, with today's date.
"""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radixlab.bench.report import text_table

RECORD = Path(__file__).with_name("replicas_recorded.json")
FORMATS = {"hits": ".1%", "÷ round robin": ".2f", "load": ".2f"}
"""How figures are shown, by the name of their column."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run of the benchmark that is over."""

    date: str
    machine: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    """The rows of each table, by its title."""
    is_new: bool = False
    """Whether it was measured just now, on this machine."""

    def router(self, name: str) -> dict[str, Any]:
        """Return a router's row, such as that of `prefix, by events`."""
        rows = self.tables["Replicas behind one router"]
        return next(row for row in rows if row["router"] == name)

    @property
    def heading(self) -> str:
        """When and on what it was made."""
        if self.is_new:
            return "measured just now on a real Ray cluster of this machine"
        return f"recorded on {self.date} on a real Ray cluster; nothing ran just now"

    def table(self, title: str) -> str:
        """Return one table as text, under its title."""
        return f"{title}\n{_table(self.tables[title])}"

    def __str__(self) -> str:
        return "\n\n".join([self.heading, *map(self.table, self.tables)])


def recorded() -> Recorded:
    """Return the record; printed, it says its date."""
    kept = json.loads(RECORD.read_text(encoding="utf-8"))
    return Recorded(kept["date"], kept["machine"], kept["tables"])


def as_recorded(found: dict[str, Any], is_new: bool = False) -> Recorded:
    """Return the tables of what `radixlab bench replicas --json` has printed, dated today."""
    tables = {"Replicas behind one router": found["rows"]}
    tables |= {title: rows for title, rows in found.items() if isinstance(rows, list)}
    tables.pop("rows", None)
    today = datetime.now(UTC).date().isoformat()
    return Recorded(today, found["machine"], tables, is_new)


def keep(found: dict[str, Any]) -> None:
    """Store what `radixlab bench replicas --json` has printed."""
    its = as_recorded(found)
    kept = {"date": its.date, "machine": its.machine, "tables": its.tables}
    text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
    RECORD.write_text(text, encoding="utf-8")


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [[_cell(name, value) for name, value in row.items()] for row in rows]
    return text_table(list(rows[0]), cells)


def _cell(name: str, value: Any) -> str:
    return format(value, FORMATS[name]) if name in FORMATS else str(value)


if __name__ == "__main__":
    keep(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
