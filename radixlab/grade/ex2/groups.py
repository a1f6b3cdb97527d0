"""The rules about groups and rounds: which calls belong together, and which became samples.

A *piece* is a family of sequences that was measured: a group, or the sequence beside it that is
never forked.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from radixlab.exercise.cow import KINDS, WARM_UP_CALLS, Sample
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
    """Which of its combination's groups, or of the sequences beside them, it is, from 1."""

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
    """Measure both kinds equally often."""
    counts = _counts(_pieces(run))
    for (_, size, forks), is_group in sorted(counts):
        cow, eager = (counts[(kind, size, forks), is_group] for kind in KINDS)
        if cow != eager:
            what = "groups" if is_group else '"unshared" writes'
            combination = f"Block size {size}, forks {forks}"
            return f"{combination}: cow has {cow} {what}, eager has {eager}", None
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
    pieces = _pieces(run)
    counts = _counts(pieces)
    num_rounds = max(counts.values(), default=0)
    for combination, _ in counts:
        for is_group, what in ((True, "groups"), (False, '"unshared" writes')):
            if counts[combination, is_group] != num_rounds:
                count = counts[combination, is_group]
                return f"{combination} has {count} {what} in {num_rounds} rounds", None
    by_round: dict[int, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_round[piece.nth].append(piece)
    for nth in range(1, num_rounds):
        end = max(by_round[nth], key=lambda piece: piece.family.calls[-1])
        begin = min(by_round[nth + 1], key=lambda piece: piece.family.calls[0])
        if begin.family.calls[0] < end.family.calls[-1]:
            return f"{begin} began before {end} was done", None
    return None


def released(run: Run, kinds: Kinds) -> Fault | None:
    """Release every sequence of a group before the next group of its manager."""
    for manager, families in run.story.families.items():
        counts: Counter[bool] = Counter()
        running: list[tuple[Family, int]] = []
        for family in families[_first_measured(run, families) :]:
            at, is_group = family.started_at, family.forks > 0
            counts[is_group] += bool(family.calls)
            running = [(one, nth) for one, nth in running if (one.ended_at or at + 1) > at]
            late = [nth for _, nth in running if nth != counts[is_group]]
            if late:
                return (
                    f"{run.where}group {counts[is_group]} of manager {manager} began while "
                    f"sequences of group {late[0]} were running"
                ), None
            running.append((family, counts[is_group]))
    return None


def kept(run: Run, kinds: Kinds) -> Fault | None:
    """Keep every fork and append of a manager after its warm-up as a sample, outliers too."""
    for families in run.story.families.values():
        calls = sorted(at for family in families for at in family.calls)
        first = next((at for at in calls if at in run.sampled), None)
        for at in calls:
            if at not in run.sampled and _counts_as_measured(run, at, first):
                call, nth = run.story.call(at), run.story.nth[at]
                manager = f"manager {call.manager} ({call.kind}, blocks of {call.block_size})"
                what = f"call {nth} of {manager} is {named(run.story.phase[at])}"
                return f"{run.where}{what}, and no sample holds it", None
    return None


def _counts_as_measured(run: Run, at: int, first: int | None) -> bool:
    """Tell whether a call belongs to what was measured, whatever became of it."""
    story = run.story
    if first is None:  # its manager has no sample at all
        return story.nth[at] > WARM_UP_CALLS and story.was_timed(at)
    return at > first or any(other in run.sampled for other in story.family[at].calls)


def _first_measured(run: Run, families: list[Family]) -> int:
    """Return where measuring begins, even if the very first calls were left out of the samples."""
    measured = [any(at in run.sampled for at in family.calls) for family in families]
    if not any(measured):
        return len(families)
    first = measured.index(True)
    before = families[first - 1] if first else None
    if before and (before.ended_at or families[first].started_at + 1) > families[first].started_at:
        first -= any(run.story.was_timed(at) for at in before.calls)
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


def _counts(pieces: list[Piece]) -> Counter[tuple[Combination, bool]]:
    return Counter((piece.combination, piece.is_group) for piece in pieces)


def _told(phases: list[str]) -> str:
    shown = ", ".join(phases[:12])
    return f"{shown}, …" if len(phases) > 12 else shown
