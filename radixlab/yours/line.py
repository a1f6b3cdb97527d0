"""The line that stands for the learner's engine in their progress. It knows kept figures only."""

from collections.abc import Mapping
from typing import Any

from radixlab.grade.progress import has_broken


def engine_line(known: Mapping[str, Any] | None) -> str:
    """Return the line that stands for the engine in the learner's progress.

    >>> engine_line(None)
    'Your engine  not raced yet (lesson 09)'
    >>> run = {"hit_rate": 0.5, "way": 0.25}
    >>> engine_line({"last": run, "best": run | {"hit_rate": 0.6}})
    'Your engine  finds 50.0%, 25% of the way to the bound; best 60.0%'
    >>> engine_line({"last": run | {"workloads": {"agent": {"broken": ["L1"]}}}, "best": None})
    'Your engine  finds 50.0%, 25% of the way to the bound, but a part broke'
    """
    if not known:
        return "Your engine  not raced yet (lesson 09)"
    last, best = known["last"], known["best"]
    line = f"Your engine  finds {last['hit_rate']:.1%}, {last['way']:.0%} of the way to the bound"
    is_broken = has_broken(last)
    line += ", but a part broke" if is_broken else ""
    is_other = best is not None and (is_broken or best["hit_rate"] > last["hit_rate"])
    return line + (f"; best {best['hit_rate']:.1%}" if is_other else "")
