"""How far a learner is: one small JSON file, which every grading writes as a whole."""

import json
from pathlib import Path
from typing import Any

from radixlab.files import locked, replace_text, set_aside
from radixlab.grade.history import are_points
from radixlab.grade.report import ExerciseReport
from radixlab.home import learner_home

ENGINE = "engine"
"""The entry of the learner's engine of lesson 09, beside the exercises."""


MOST_WAY = 1e6
"""No share of a way is as large; a file that says more was not written here."""


class Progress:
    """Points by exercise and the figures of the learner's engine, the latest and the best."""

    def __init__(self, home: Path | None = None) -> None:
        self._path = (home or learner_home()) / "progress.json"

    def save(self, report: ExerciseReport, *, whole: bool = True) -> None:
        """Keep a report's points, and whatever other processes wrote meanwhile.

        A report that is not `whole` covers some parts of the exercise: it never lowers the points.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        with locked(self._path.with_suffix(".lock")):
            known = self._read()
            before = known.get(report.id, {"best": 0, "points": 0})
            if whole or report.points >= before["points"]:
                known[report.id] = {
                    "points": report.points,
                    "max_points": report.max_points,
                    "best": max(before["best"], report.points),
                    "items": {item.item.id: item.verdict.status for item in report.items},
                }
                replace_text(self._path, json.dumps(known, indent=1, sort_keys=True) + "\n")

    def load(self) -> dict[str, dict[str, Any]]:
        """Return `{"8.5.2": {points, max_points, best, items}}`; empty before the first grading."""
        known = self._load()
        known.pop(ENGINE, None)
        return known

    def save_engine(self, record: dict[str, Any]) -> None:
        """Keep the figures of a race of the learner's engine; the best `hit_rate` stays.

        Where a part broke, the engine's own part served the rest: such a run is the last one, and
        never the best one.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        with locked(self._path.with_suffix(".lock")):
            known = self._read()
            best = known.get(ENGINE, {}).get("best")
            rates = [run["hit_rate"] for run in (best, record) if run and not has_broken(run)]
            if not has_broken(record) and record["hit_rate"] == max(rates):
                best = record
            known[ENGINE] = {"last": record, "best": best}
            replace_text(self._path, json.dumps(known, indent=1, sort_keys=True) + "\n")

    def load_engine(self) -> dict[str, Any] | None:
        """Return `{last, best}`, each with `hit_rate` and `way`; None before the first race.

        `best` is None while a part broke in every race.
        """
        known = self._load().get(ENGINE)
        if known and known["best"] and has_broken(known["best"]):  # kept by an older version
            known["best"] = None
        return known

    def _load(self) -> dict[str, dict[str, Any]]:
        if not self._path.exists():
            return {}
        with locked(self._path.with_suffix(".lock")):
            return self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            found = None
        entries = found if isinstance(found, dict) else {}
        sound = {id: entry for id, entry in entries.items() if _is_sound(id, entry)}
        if sound != found:
            set_aside(self._path)  # what is not sound can be graded, or raced, again
            if sound:
                replace_text(self._path, json.dumps(sound, indent=1, sort_keys=True) + "\n")
        return sound


def has_broken(run: dict[str, Any]) -> bool:
    """Whether a part of the learner's engine broke a rule in a race that was kept."""
    workloads = run.get("workloads")
    found = workloads.values() if isinstance(workloads, dict) else ()
    return any(isinstance(each, dict) and each.get("broken") for each in found)


def _is_sound(id: str, entry: Any) -> bool:
    return _is_engine(entry) if id == ENGINE else _is_entry(entry)


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and all(
        are_points(entry.get(name)) for name in ("points", "max_points", "best")
    )


def _is_engine(entry: Any) -> bool:
    if not isinstance(entry, dict) or not _is_run(entry.get("last")):
        return False
    return entry.get("best", 0) is None or _is_run(entry.get("best"))


def _is_run(run: Any) -> bool:
    if not isinstance(run, dict):
        return False
    way = run.get("way")
    return _is_rate(run.get("hit_rate")) and isinstance(way, int | float) and abs(way) < MOST_WAY


def _is_rate(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1
