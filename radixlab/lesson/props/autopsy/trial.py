"""The trial: suspects, detectors, and the verdicts as a table.

This file knows the suspects by letter; `truth` and `culprit` reveal their names.
"""

from collections.abc import Callable
from dataclasses import dataclass

from radixlab.cache import CacheConfig, CacheError, CanaryError, InvariantError, KVCacheManager
from radixlab.cache.proof.invariants import check
from radixlab.events import Event
from radixlab.lesson.props.autopsy import engines
from radixlab.lesson.props.autopsy.traffic import SCRIPT, Scene, Step
from radixlab.observe import attach, fold, snapshot
from radixlab.observe.lamp import Lamp

Detector = Callable[[KVCacheManager], object]


@dataclass(frozen=True, slots=True)
class Case:
    """A bug: its name, the part of the engine that has it, and similar bugs."""

    bug: str
    culprit: type
    alike: tuple[str, str, str]


LEAK, TWICE = "leak", "double free"
FREED, IN_USE = "use after free", "evicting what is in use"
STALE, KEY = "stale entry", "keyed by the wrong thing"
HALF, DUPLICATE = "lock on one half of a split", "duplicate not re-pointed"

CASES = {
    "A": Case(LEAK, engines.LeakyManager, (TWICE, HALF, STALE)),
    "B": Case(KEY, engines.NameKeyedTree, (STALE, DUPLICATE, TWICE)),
    "C": Case(DUPLICATE, engines.ForgetfulCommit, (IN_USE, KEY, HALF)),
    "D": Case(HALF, engines.HalfLockedTree, (STALE, LEAK, TWICE)),
    "E": Case(STALE, engines.StaleTree, (KEY, DUPLICATE, IN_USE)),
    "F": Case(TWICE, engines.LateCancelManager, (LEAK, FREED, STALE)),
    "G": Case(FREED, engines.UncountedForkManager, (DUPLICATE, TWICE, HALF)),
    "H": Case(IN_USE, engines.EarlyUnlockManager, (HALF, FREED, LEAK)),
}


def suspect(letter: str | None = None) -> KVCacheManager:
    """Return a small engine with the bug of that letter; without a letter, the real engine."""
    engine = KVCacheManager(CacheConfig(num_blocks=14, block_size=4, explain=True))
    if letter is not None:
        broken = CASES[letter].culprit
        parts: list[object] = [engine, engine.tree, engine.commits]
        part = next(p for p in parts if issubclass(broken, type(p)))
        part.__class__ = broken  # it has no fields, so only its methods change
    return engine


def line_up(letter: str) -> list[str]:
    """Name four bugs in alphabetical order; the suspect has one of them."""
    return sorted((CASES[letter].bug, *CASES[letter].alike))


def truth(letter: str) -> str:
    """Name a suspect's bug."""
    return CASES[letter].bug


def culprit(letter: str) -> type:
    """Return the broken class, to `show`."""
    return CASES[letter].culprit


class Telltale:
    """A detector that compares the engine's events with its state.

    The live view is drawn from events. Here they are folded into a state in the same way, and that
    state is compared with the engine itself.
    """

    def __init__(self, engine: KVCacheManager) -> None:
        self._told = snapshot(engine)
        attach(engine, self._listen)

    def _listen(self, event: Event) -> None:
        fold(self._told, event)

    def __call__(self, engine: KVCacheManager) -> None:
        """Raise `InvariantError` if the two differ."""
        if self._told != snapshot(engine):
            raise InvariantError("the events describe another state than the engine has")


class LampDetector:
    """A detector that looks at the invariant lamp: the rules, checked on the events alone."""

    def __init__(self, engine: KVCacheManager) -> None:
        self._lamp = Lamp(snapshot(engine))
        attach(engine, self._lamp.follow)

    def __call__(self, engine: KVCacheManager) -> None:
        """Raise `InvariantError` if the lamp is red."""
        if (fault := self._lamp.verdict()) is not None:
            raise InvariantError(str(fault))


@dataclass(frozen=True, slots=True)
class Evidence:
    """The first alarm of a trial: its step and its exception."""

    number: int
    """The step, counted from 1; 0 if nothing was found."""
    step: Step | None = None
    error: Exception | None = None

    def by(self, kind: type[Exception]) -> int:
        """Return the step if an exception of that kind was raised, else 0."""
        return self.number if isinstance(self.error, kind) else 0

    def __str__(self) -> str:
        if self.error is None:
            return f"all {len(SCRIPT)} steps, no alarm"
        return f"step {self.number}, {self.step}:\n{type(self.error).__name__}: {self.error}"


def investigate(engine: KVCacheManager, *detectors: Detector, canary: bool = True) -> Evidence:
    """Run the script, and each detector after each step, until something raises.

    With `canary`, every running sequence reads its KV after each step.
    """
    scene = Scene(engine, canary=canary)
    for number, step in enumerate(SCRIPT, 1):
        try:
            scene.play(step)
            for detect in detectors:
                detect(engine)
        except (CacheError, InvariantError) as error:
            return Evidence(number, step, error)
    return Evidence(0)


def convictions() -> dict[str, tuple[int, int, int, int, int]]:
    """Try every bug and the real engine; return the step of the first alarm, 0 for never.

    Each detector works alone: the engine's own exceptions, the canary, `check`, a `Telltale`, the
    lamp.
    """
    rows = {case.bug: letter for letter, case in CASES.items()} | {"none: the real engine": None}
    return {bug: _steps(letter) for bug, letter in rows.items()}


def _steps(letter: str | None) -> tuple[int, int, int, int, int]:
    watched, lit = suspect(letter), suspect(letter)
    return (
        investigate(suspect(letter), canary=False).by(CacheError),
        investigate(suspect(letter)).by(CanaryError),
        investigate(suspect(letter), check, canary=False).by(InvariantError),
        investigate(watched, Telltale(watched), canary=False).by(InvariantError),
        investigate(lit, LampDetector(lit), canary=False).by(InvariantError),
    )
