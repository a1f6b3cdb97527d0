"""As the notebook has it: `take_samples` for the first part, and `benchmark` for both."""

from collections import deque
from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


def take_samples(make_manager, clock, forks, block_sizes):
    queue = deque()
    for kind in KINDS:
        for size in block_sizes:
            manager = make_manager(kind, size)
            for _ in range(3):
                sequences = [manager.start()]
                sequences += [manager.fork(sequences[0])[0] for _ in range(4)]
                for sequence in sequences * 2:
                    manager.append(sequence)
                for sequence in sequences:
                    manager.release(sequence)
            queue.extend((manager, kind, size, num) for num in forks)
    samples, num_turns = [], 15 * len(queue)
    for _ in range(num_turns):
        manager, *what = turn = queue.popleft()
        queue.append(turn)
        samples.extend(group(manager, clock, *what))
    return samples


def group(manager, clock, kind, size, num):
    beside, branches = manager.start(), [manager.start()]
    todo = deque([("unshared", beside)] + [("fork", None)] * num)
    while todo:
        phase, sequence = todo.popleft()
        sequence = branches[len(branches) // 2] if sequence is None else sequence
        manager.sync()
        start_s = clock()
        answer = manager.fork(sequence) if phase == "fork" else manager.append(sequence)
        manager.sync()
        seconds = clock() - start_s
        copies = answer[1] if phase == "fork" else answer
        moved = len(copies) * manager.block_bytes
        yield Sample(kind, size, num, phase, start_s, seconds, len(copies), moved)
        if phase == "fork":
            branches.append(answer[0])
            if len(branches) > num:
                *others, last = branches
                todo.extend(("first", branch) for branch in others)
                todo.append(("last", last))
                todo.extend(("after", branch) for branch in branches)
    for sequence in (*branches, beside):
        manager.release(sequence)


def benchmark(make_manager, clock, forks, block_sizes):
    samples = take_samples(make_manager, clock, forks, block_sizes)
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
