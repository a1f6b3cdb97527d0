"""What grading found, as values. How it is shown is `render`'s and `exports`' part."""

from dataclasses import dataclass, field
from typing import Any

from radixlab.grade.items import Item, Status
from radixlab.observe.state import State


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
    """What one check came to."""

    status: Status
    share: float = 0.0
    """Of the points, 0 to 1."""
    message: str = ""
    scenario: str = ""
    expected: State | str | None = None
    actual: State | str | None = None
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


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
        points = round(self.item.points * self.verdict.share, 2)
        return int(points) if points == int(points) else points

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
    points: float = field(init=False)
    max_points: int = field(init=False)

    def __post_init__(self) -> None:
        points = round(sum(item.points for item in self.items), 2)
        object.__setattr__(self, "points", int(points) if points == int(points) else points)
        object.__setattr__(self, "max_points", sum(item.item.points for item in self.items))

    @property
    def passed(self) -> bool:
        """Whether every item that was asked for passed."""
        return all(item.verdict.status == "passed" for item in self.items)

    @property
    def is_stub(self) -> bool:
        """Whether nothing was written yet."""
        return all(item.verdict.status == "stub" for item in self.items)

    def as_dict(self) -> dict[str, Any]:
        """Return what `radixlab grade --json` says of it."""
        return {
            "id": self.id,
            "points": self.points,
            "max_points": self.max_points,
            "items": [item.as_dict() for item in self.items],
        }


def as_dict(reports: list[ExerciseReport]) -> dict[str, Any]:
    """Return a learner's exercises as `radixlab grade --json` prints them."""
    points = round(sum(report.points for report in reports), 2)
    return {
        "points": int(points) if points == int(points) else points,
        "max_points": sum(report.max_points for report in reports),
        "exercises": [report.as_dict() for report in reports],
    }
