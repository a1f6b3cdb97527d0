"""What grading found, as values; `render` and `exports` show it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from radixlab.grade.items import Item, Status
from radixlab.observe.state import NodeState, State
from radixlab.observe.wire import state_to_json

MAX_TEXT = 8_000
"""Characters of any one text of a verdict that are kept."""
MAX_STEPS = 20

Standing = Literal["graded", "failed", "stub", "not handed in", "unreadable", "grader failed"]
"""The state of a learner's exercise; `failed` is code that earned no point."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the learner's code on the way to an error."""

    label: str
    """The part: `<8.5.2 samples>`."""
    line: int
    function: str
    code: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check."""

    status: Status
    share: float = 0.0
    """Of the points, 0 to 1."""
    message: str = ""
    scenario: str = ""
    expected: State | str | None = None
    actual: State | str | None = None
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data of a bounded size, to be sent from process to process."""
        return {
            "status": self.status,
            "share": self.share,
            "message": self.message[:MAX_TEXT],
            "scenario": self.scenario[:MAX_TEXT],
            "expected": _state_to_json(self.expected),
            "actual": _state_to_json(self.actual),
            "steps": [_cut(asdict(step)) for step in self.steps[-MAX_STEPS:]],
            "notes": [note[:MAX_TEXT] for note in self.notes[:MAX_STEPS]],
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Verdict":
        """Rebuild it from what `to_json` returned."""
        rebuilt = {
            "expected": _state_from_json(record["expected"]),
            "actual": _state_from_json(record["actual"]),
            "steps": tuple(Step(**step) for step in record["steps"]),
            "notes": tuple(record["notes"]),
        }
        return cls(**(record | rebuilt))


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One item and its verdict."""

    exercise_id: str
    item: Item
    verdict: Verdict

    @property
    def id(self) -> str:
        """As `hint` takes it: `8.5.1/split`."""
        return f"{self.exercise_id}/{self.item.id}"

    @property
    def points(self) -> float:
        """Points earned, to a hundredth; whole ones are ints."""
        return rounded(self.item.points * self.verdict.share)

    def as_dict(self) -> dict[str, Any]:
        """Return what `radixlab grade --json` says of it."""
        return {
            "id": self.item.id,
            "points": self.points,
            "max_points": self.item.points,
            "status": self.verdict.status,
            "rule": self.item.rule,
        }


@dataclass(frozen=True, slots=True)
class ExerciseReport:
    """One exercise of one learner."""

    id: str
    title: str
    items: tuple[ItemReport, ...]
    used: tuple[str, ...] = ()
    """The cells that were graded: `cell 7 (samples)`."""
    printed: str = ""
    """What the submission printed while it was graded."""
    doubts: tuple[str, ...] = ()
    """What looks as if it should have been graded and was not, one line each."""
    without: tuple[str, ...] = ()
    """Parts of the exercise that are missing or not written yet."""
    absent: Literal["", "not handed in", "unreadable"] = ""
    """Why there was nothing to judge."""
    tries: int | None = None
    """Versions that the learner ran, where the history was handed in too."""
    points: float = field(init=False)
    max_points: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", rounded(sum(item.points for item in self.items)))
        object.__setattr__(self, "max_points", sum(item.item.points for item in self.items))

    @property
    def passed(self) -> bool:
        """Whether every item that was asked for passed."""
        return all(item.verdict.status == "passed" for item in self.items)

    @property
    def is_stub(self) -> bool:
        """Whether nothing was written yet."""
        return all(item.verdict.status == "stub" for item in self.items)

    @property
    def standing(self) -> Standing:
        """The state of the exercise, in a word or two."""
        if self.absent:
            return self.absent
        if any(item.verdict.status == "not_run" for item in self.items):
            return "grader failed"
        if self.is_stub:
            return "stub"
        return "graded" if self.points else "failed"

    def as_dict(self) -> dict[str, Any]:
        """Return what `radixlab grade --json` says of it."""
        return {
            "id": self.id,
            "points": self.points,
            "max_points": self.max_points,
            "status": self.standing,
            "tries": self.tries,
            "without": list(self.without),
            "doubts": list(self.doubts),
            "items": [item.as_dict() for item in self.items],
        }


def as_dict(reports: Sequence[ExerciseReport]) -> dict[str, Any]:
    """Return a learner's exercises as `radixlab grade --json` prints them."""
    return {
        "points": total(reports),
        "max_points": sum(report.max_points for report in reports),
        "exercises": [report.as_dict() for report in reports],
    }


def total(reports: Sequence[ExerciseReport]) -> float:
    """Return the points of all exercises of a learner."""
    return rounded(sum(report.points for report in reports))


def rounded(points: float) -> float:
    """Return points to a hundredth; whole ones are ints.

    >>> rounded(2.0), rounded(1 / 3)
    (2, 0.33)
    """
    points = round(points, 2)
    return int(points) if points == int(points) else points


def _cut(step: dict[str, Any]) -> dict[str, Any]:
    return {name: v[:MAX_TEXT] if isinstance(v, str) else v for name, v in step.items()}


def _state_to_json(value: State | str | None) -> dict[str, Any] | str | None:
    if isinstance(value, State):
        return state_to_json(value)
    return value[:MAX_TEXT] if value is not None else None


def _state_from_json(value: Any) -> State | str | None:
    """Rebuild a tree; the pictures of a report have no running sequences."""
    if not isinstance(value, dict):
        return None if value is None else str(value)
    nodes = {node["id"]: NodeState(**node) for node in value["nodes"]}
    return State(**(value | {"nodes": nodes, "sequences": {}}))
