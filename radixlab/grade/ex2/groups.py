"""The rules about groups and rounds: which calls belong together, and which are samples.

A *piece* is a family of sequences that was measured: a group, or the sequence beside it that is
never forked.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from radixlab.exercise.cow import WARM_UP_CALLS, Sample
from radixlab.grade.ex2.play import Fault, Kinds, Run, named
from radixlab.grade.ex2.story import Family

Combination = tuple[str, int, int]
"""Kind, block size and number of forks."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A measured family."""

    family: Family
    combination: Combination
    is_group: bool
    nth: int
    """Its number among its combination's groups, or among the writes beside them, from 1."""

    def __str__(self) -> str:
        what = "group" if self.is_group else '"unshared" write'
        return f"{what} {self.nth} of {self.combination}"


def group(run: Run, kinds: Kinds) -> Fault | None:
    """Make all forks, let every branch write once, then every branch again; write once beside."""
    for piece in _pieces(run):
        calls, forks = piece.family.calls, piece.family.forks
        if run.story.call(calls[0]).kind not in kinds:
            continue
        found = [run.story.phase[at] for at in calls]
        right = ["fork"] * forks + ["first"] * forks + ["last"] + ["after"] * (forks + 1)
        if found != (right if forks else ["unshared"]):
            should = _told(right if forks else ["unshared"])
            return f"{run.where}{piece} is: {_told(found)}; it should be: {should}", None
    return None


def as_often(run: Run, kinds: Kinds) -> Fault | None:
    """Take equally many groups of every combination, with one write beside each."""
    counts = Counter((piece.combination, piece.is_group) for piece in _pieces(run))
    most = max(counts.values(), default=0)
    for combination in sorted({combination for combination, _ in counts}):
        groups, beside = counts[combination, True], counts[combination, False]
        if not groups == beside == most:
            what = f'{groups} groups and {beside} "unshared" writes'
            return f"{combination} has {what}; there are {most} rounds", None
    return None


def one_manager(run: Run, kinds: Kinds) -> Fault | None:
    """Measure all groups of a combination on one manager."""
    managers: dict[Combination, set[int]] = defaultdict(set)
    for at, sample in run.sampled.items():
        managers[sample.cell[:3]].add(run.story.call(at).manager)
    for combination, used in managers.items():
        if len(used) > 1:
            return f"{combination} was measured on {len(used)} managers", None
    return None


def rounds(run: Run, kinds: Kinds) -> Fault | None:
    """Take one group of every combination in a round, and then begin the next round."""
    by_round: dict[int, list[Piece]] = defaultdict(list)
    for piece in _pieces(run):
        by_round[piece.nth].append(piece)
    for nth in range(1, len(by_round)):
        end = max(by_round[nth], key=lambda piece: piece.family.calls[-1])
        begin = min(by_round[nth + 1], key=lambda piece: piece.family.calls[0])
        if begin.family.calls[0] < end.family.calls[-1]:
            return f"{begin} began before {end} was done", None
    return None


def released(run: Run, kinds: Kinds) -> Fault | None:
    """Release every sequence of a group before the next group of its manager."""
    for manager, started in run.story.families.items():
        families = [family for family in started if family.calls]
        counts: Counter[bool] = Counter()
        running: list[tuple[Family, int]] = []
        for family in families[_first_measured(run, families) :]:
            at, is_group = family.started_at, family.forks > 0
            counts[is_group] += 1
            running = [(one, nth) for one, nth in running if one.runs_at(at)]
            late = [nth for _, nth in running if nth != counts[is_group]]
            if late:
                what = f"group {counts[is_group]} of manager {manager} began"
                return f"{run.where}{what} while sequences of group {late[0]} were running", None
            running.append((family, counts[is_group]))
    return None


def kept(run: Run, kinds: Kinds) -> Fault | None:
    """Keep every fork and append of a manager after its warm-up as one sample, outliers too."""
    story, holders = run.story, Counter(run.calls)
    for index, held in enumerate(run.calls):
        if held is not None and holders[held] > 1:
            return f"{run.where}{run.name(index)} is listed {holders[held]} times", index
    measured = {story.family[at] for at in run.sampled}
    first: dict[int, int] = {}
    for at in sorted(run.sampled):
        first.setdefault(story.call(at).manager, at)
    for at, family in story.family.items():
        is_warm_up = at < first.get(family.manager, at) and family not in measured
        if family.manager not in first:  # it has no sample at all
            is_warm_up = story.nth[at] <= WARM_UP_CALLS or at not in story.alone
        if at not in run.sampled and not is_warm_up:
            call, phase = story.call(at), named(story.phase[at])
            manager = f"manager {call.manager} ({call.kind}, blocks of {call.block_size})"
            what = f"call {story.nth[at]} of {manager} is {phase}"
            return f"{run.where}{what}, and no sample holds it", None
    return None


def _first_measured(run: Run, families: list[Family]) -> int:
    """Return where measuring begins, even if the very first calls were left out of the samples."""
    measured = (nth for nth, one in enumerate(families) if run.sampled.keys() & one.calls)
    first = next(measured, len(families))
    if 0 < first < len(families):
        before, started_at = families[first - 1], families[first].started_at
        first -= before.runs_at(started_at) and not run.story.alone.isdisjoint(before.calls)
    return first


def _pieces(run: Run) -> list[Piece]:
    """Return the measured families of all managers in the order of their first samples."""
    found: dict[Family, Sample] = {}
    for at, sample in sorted(run.sampled.items()):
        found.setdefault(run.story.family[at], sample)
    counts: Counter[tuple[Combination, bool]] = Counter()
    pieces = []
    for family, sample in found.items():
        key = sample.cell[:3], family.forks > 0
        counts[key] += 1
        pieces.append(Piece(family, *key, counts[key]))
    return pieces


def _told(phases: list[str]) -> str:
    shown = ", ".join(phases[:12])
    return f"{shown}, …" if len(phases) > 12 else shown
