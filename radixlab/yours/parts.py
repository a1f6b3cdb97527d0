"""Where a learner's parts come from: the versions that they kept, or the worked solutions.

A version counts if it earned points, or if it was never graded to its end. Otherwise the worked
solution of the checkout stands in. The code runs in this process, under the watch.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import radixlab
from radixlab.cache.protocols import EvictionPolicy
from radixlab.exercise.plain import plain_text
from radixlab.grade.cells import SubmissionError
from radixlab.grade.ex4 import in_engine
from radixlab.grade.history import History, Version
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import Submission, read
from radixlab.guarded_call import CallFailed, Watch
from radixlab.yours.fault import PartName

SOURCES: dict[PartName, tuple[str, str]] = {
    "tree": ("8.5.1", "RadixTree"),
    "policy": ("8.5.4", "MyPolicy"),
    "plan": ("8.5.3", "plan"),
}
"""By part: the exercise, and the name that it asks for."""


class NoPartsError(RuntimeError):
    """There is neither a version of the learner's nor a checkout with the worked solutions."""


@dataclass(frozen=True, slots=True)
class OwnPart:
    """One part, and whose it is."""

    name: PartName
    make: Callable[..., Any]
    """The class of a tree or a policy, or the function `plan`."""
    source: str = "given here"
    """Such as `yours, version 3 of 8.5.1 (25 points)`."""

    def __call__(self, *arguments: Any) -> Any:
        """Make one, so that a part can stand wherever its class or function can."""
        return self.make(*arguments)

    def __str__(self) -> str:
        return f"{self.name:7} {self.source}"


@dataclass(frozen=True, slots=True)
class Parts:
    """The three parts of an engine; None for the engine's own."""

    tree: OwnPart | None = None
    policy: OwnPart | None = None
    plan: OwnPart | None = None

    def __str__(self) -> str:
        return "\n".join(map(str, filter(None, (self.tree, self.policy, self.plan))))

    @property
    def make_tree(self) -> Callable[[int], Any] | None:
        """What makes a tree of a block size; None where there is no part."""
        return None if self.tree is None else self.tree.make

    def __post_init__(self) -> None:
        """Take a class or a function for the part that it makes."""
        for name in SOURCES:
            part = getattr(self, name)
            if part is None or isinstance(part, OwnPart):
                continue
            if not callable(part):
                raise TypeError(f"{name} must be a class, a function or None, and is {part!r}")
            object.__setattr__(self, name, OwnPart(name, part))

    def make_policy(self) -> EvictionPolicy | None:
        """Make a new policy, as the engine takes it; None where there is no part.

        Raises what the learner's code raises. `OwnManager` takes the part itself, and does not.
        """
        return None if self.policy is None else as_policy(self.policy.make())


def as_policy(policy: Any) -> EvictionPolicy:
    """Return a policy as the engine takes it: an object of 8.5.4 gets its host.

    Raises `TypeError` for what has no method `victim`.
    """
    if EvictionPolicy in type(policy).__mro__:
        return policy  # type: ignore[no-any-return]  # a learner's, by its protocol
    if not callable(getattr(policy, "victim", None)):
        raise TypeError(f"a policy has a method victim, and {plain_text(policy)} has none")
    return in_engine(policy)


def made_policy(policy: Any) -> EvictionPolicy:
    """Return a policy as the engine takes it; a class, a function or a part makes it first."""
    is_made = not isinstance(policy, type) and hasattr(policy, "victim")
    return as_policy(policy() if callable(policy) and not is_made else policy)


def own_parts() -> Parts:
    """Return the learner's latest good version of each part, or the worked solution.

    Raises `NoPartsError` where neither is there.
    """
    return Parts(*(_found(name) for name in SOURCES))


def worked(name: PartName) -> Callable[..., Any]:
    """Return the worked solution of a part."""
    exercise_id, attribute = SOURCES[name]
    module = _run(_solution(exercise_id), f"worked_{name}")
    found: Callable[..., Any] = getattr(module, attribute)
    return found


def _found(name: PartName) -> OwnPart:
    exercise_id, attribute = SOURCES[name]
    version = History(exercise_id).wanted()
    if version is None:
        return _stand_in(name, f"you have not run {exercise_id} yet")
    if version.points == 0 or attribute not in "".join(version.submission.sources.values()):
        return _stand_in(name, f"your version {version.number} of {exercise_id} has no points")
    try:
        module = _run(version.submission, f"own_{name}_{version.number}")
        make = getattr(module, attribute)
    except (CallFailed, AttributeError) as error:
        return _stand_in(name, f"your version {version.number} does not run: {error}")
    return OwnPart(name, make, f"yours, {_of(version, exercise_id)}")


def _of(version: Version, exercise_id: str) -> str:
    points = "not graded" if version.points is None else f"{version.points:g} points"
    return f"version {version.number} of {exercise_id} ({points})"


def _stand_in(name: PartName, why: str) -> OwnPart:
    return OwnPart(name, worked(name), f"the worked solution: {why}")


def _solution(exercise_id: str) -> Submission:
    root = Path(radixlab.__file__).parent.parent
    path = root / "solutions" / f"{EXERCISES[exercise_id].notebook}.ipynb"
    try:
        return read(path, exercise_id)
    except SubmissionError as error:
        raise NoPartsError(
            f"no worked solution of {exercise_id} here: run this in a checkout of the course "
            f"({error})"
        ) from None


def _run(submission: Submission, name: str) -> ModuleType:
    """Run the parts of a submission in a module of their own; raise `CallFailed`."""
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses look their own module up
    for part in submission.parts:
        code = Watch().call(compile, part.source, part.label, "exec", 0, True)
        Watch().call(exec, code, module.__dict__)
    return module
