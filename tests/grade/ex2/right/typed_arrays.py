"""Columns of machine numbers (`array`), a state machine for a group, and sums for the medians."""

from array import array
from enum import Enum, auto

from radixlab.exercise.cow import KINDS, PHASES, Conclusion, CowReport, Sample


class State(Enum):
    BESIDE = auto()
    FORKS = auto()
    FIRST = auto()
    AGAIN = auto()
    DONE = auto()


class Table:
    def __init__(self):
        self.turn, self.phase = array("H"), array("B")
        self.start_s, self.seconds, self.copies = array("d"), array("d"), array("q")

    def add(self, turn, phase, start_s, seconds, copies):
        self.turn.append(turn)
        self.phase.append(PHASES.index(phase))
        self.start_s.append(start_s)
        self.seconds.append(seconds)
        self.copies.append(copies)


def group(manager, clock, turn, forks, table):
    def take(phase, sequence):
        call = manager.fork if phase == "fork" else manager.append
        manager.sync()
        start_s = clock()
        answer = call(sequence)
        manager.sync()
        seconds = clock() - start_s
        child, copies = answer if phase == "fork" else (None, answer)
        table.add(turn, phase, start_s, seconds, len(copies))
        return child

    alone, branches, state, at = manager.start(), [manager.start()], State.BESIDE, 0
    while state is not State.DONE:
        if state is State.BESIDE:
            take("unshared", alone)
            state = State.FORKS
        elif state is State.FORKS:
            branches.append(take("fork", branches[-1]))
            state = State.FIRST if len(branches) > forks else State.FORKS
        elif state is State.FIRST:
            take("last" if at == forks else "first", branches[at])
            at += 1
            state = State.AGAIN if at > forks else State.FIRST
        else:
            at -= 1
            take("after", branches[at])
            state = State.AGAIN if at else State.DONE
    manager.release(alone)
    for branch in branches:
        manager.release(branch)


def middle_of(values):
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return 0.5 * low + 0.5 * high


def benchmark(make_manager, clock, forks, block_sizes):
    turns = [(kind, size, num) for size in block_sizes for num in forks for kind in KINDS]
    managers = [make_manager(kind, size) for kind, size, _ in turns]
    block_bytes = [manager.block_bytes for manager in managers]
    for turn, manager in enumerate(managers):
        for _ in range(6):
            group(manager, clock, turn, turns[turn][2], Table())
    table = Table()
    for _ in range(16):
        for turn, manager in enumerate(managers):
            group(manager, clock, turn, turns[turn][2], table)
    rows = list(
        zip(table.turn, table.phase, table.start_s, table.seconds, table.copies, strict=True)
    )
    samples = [
        Sample(*turns[turn], PHASES[phase], start_s, seconds, num, num * block_bytes[turn])
        for turn, phase, start_s, seconds, num in rows
    ]
    n, median, spread, copied = {}, {}, {}, {}
    for turn, what in enumerate(turns):
        for number, phase in enumerate(PHASES):
            here = [row for row in rows if row[:2] == (turn, number)]
            seconds = sorted(row[3] for row in here)
            half = len(seconds) // 2
            cell = (*what, phase)
            n[cell], median[cell] = len(here), middle_of(seconds)
            spread[cell] = middle_of(seconds[:half]), middle_of(seconds[-half:])
            copied[cell] = sum(row[4] for row in here)
    conclusions = [concluded(median, copied, *what[1:]) for what in turns if what[0] == "cow"]
    return CowReport(samples, n, median, spread, conclusions)


def concluded(median, copied, size, num):
    cow = [median["cow", size, num, phase] for phase in PHASES]
    eager = [median["eager", size, num, phase] for phase in PHASES]
    weights = [0, num, num, 1, 0]
    total = [sum(w * s for w, s in zip(weights, side, strict=True)) for side in (eager, cow)]
    moved = [sum(copied[kind, size, num, phase] for phase in PHASES) for kind in KINDS]
    copy_s = cow[2] - cow[0] if copied["cow", size, num, "first"] else None
    even = None if not copy_s else (eager[1] - cow[1]) / copy_s
    return Conclusion(size, num, copy_s, moved[0] / moved[1], even, total[0] / total[1])
