"""A plan first: every call of the whole run is written down as data, and then carried out."""

from collections import namedtuple
from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample

Step = namedtuple("Step", "verb on phase name")


def plan(forks):
    names = [f"b{number}" for number in range(forks + 1)]
    yield Step("start", None, None, "alone")
    yield Step("append", "alone", "unshared", None)
    yield Step("release", "alone", None, None)
    yield Step("start", None, None, "b0")
    for name in names[1:]:
        yield Step("fork", "b0", "fork", name)
    for name in names[:0:-1]:
        yield Step("append", name, "first", None)
    yield Step("append", "b0", "last", None)
    for name in names:
        yield Step("append", name, "after", None)
    for name in names:
        yield Step("release", name, None, None)


def carry_out(manager, clock, cell, steps, keep):
    known = {}
    for step in steps:
        arguments = [] if step.on is None else [known[step.on]]
        if step.phase:
            manager.sync()
        start_s = clock() if step.phase else None
        answer = getattr(manager, step.verb)(*arguments)
        if step.phase:
            manager.sync()
            seconds = clock() - start_s
            copies = answer[1] if step.verb == "fork" else answer
            size = len(copies)
            keep(Sample(*cell, step.phase, start_s, seconds, size, size * manager.block_bytes))
        if step.name:
            known[step.name] = answer[0] if step.verb == "fork" else answer


def benchmark(make_manager, clock, forks, block_sizes):
    samples = []
    managers = {(kind, size): make_manager(kind, size) for size in block_sizes for kind in KINDS}
    for key, manager in managers.items():
        for _ in range(5):
            carry_out(manager, clock, (*key, 3), plan(3), lambda sample: None)
    for _ in range(18):
        for key, manager in managers.items():
            for num in forks:
                carry_out(manager, clock, (*key, num), plan(num), samples.append)
    return report(samples, block_sizes, forks)


def report(samples, block_sizes, forks):
    cells = {}
    for sample in samples:
        cells.setdefault(sample.cell, []).append(sample)
    n = {cell: len(some) for cell, some in cells.items()}
    middle = {cell: median([one.seconds for one in some]) for cell, some in cells.items()}
    spread = {}
    for cell, some in cells.items():
        low, _, high = quantiles([one.seconds for one in some], n=4)
        spread[cell] = low, high
    conclusions = []
    for size in block_sizes:
        for num in forks:
            copied = {
                kind: sum(s.copies for s in samples if s.cell[:3] == (kind, size, num))
                for kind in KINDS
            }
            group_s = {
                kind: num * (middle[kind, size, num, "fork"] + middle[kind, size, num, "first"])
                + middle[kind, size, num, "last"]
                for kind in KINDS
            }
            copy_s = even = None
            if any(one.copies for one in cells["cow", size, num, "first"]):
                copy_s = middle["cow", size, num, "first"] - middle["cow", size, num, "unshared"]
            if copy_s:
                even = (
                    middle["eager", size, num, "fork"] - middle["cow", size, num, "fork"]
                ) / copy_s
            share, ratio = copied["cow"] / copied["eager"], group_s["eager"] / group_s["cow"]
            conclusions.append(Conclusion(size, num, copy_s, share, even, ratio))
    return CowReport(samples, n, middle, spread, conclusions)
