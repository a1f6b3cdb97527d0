"""What two lists have in common, in the same order: the blocks that `difflib` finds, found faster.

The longest block of equal items comes first, then the longest one before it and the longest one
behind it, and so on (Ratcliff and Metzener, "Pattern matching: the gestalt approach", 1988).
`difflib` looks through all pairs of equal items again for each block. Here the pairs are joined
once to runs, longest first. A block is a run, or the part of one between two other blocks.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise

Block = tuple[int, int, int]
"""Equal items: the first position in each list, and how many there are."""
Run = tuple[int, int, int]
"""The same, beginning with minus the number, so that the longest run is the smallest tuple."""
Places = dict[str, list[int]]
Box = tuple[int, int, int, int]
"""A stretch of each list: start and end in the first one, start and end in the second."""


def gaps(first: Sequence[str], second: Sequence[str], common: Set[str]) -> Iterator[Box]:
    """Yield what stands between the blocks that two lists have in common, in order.

    An item in `common` belongs to a block only beside items that are not.

    >>> list(gaps("one of two".split(), "one or two".split(), set()))
    [(1, 2, 1, 2)]
    """
    end = second_end = 0
    for start, second_start, num in sorted(_blocks(first, second, common)):
        if start > end or second_start > second_end:
            yield end, start, second_end, second_start
        end, second_end = start + num, second_start + num
    if end < len(first) or second_end < len(second):
        yield end, len(first), second_end, len(second)


def _blocks(first: Sequence[str], second: Sequence[str], common: Set[str]) -> Iterator[Block]:
    places = _places(second, common)
    if not _have_pairs(first, second, places):
        yield from _singles(first, second, common, places)
        return
    boxes = [((0, len(first), 0, len(second)), _runs(first, places))]
    while boxes:
        box, runs = boxes.pop()
        low, high, second_low, second_high = box
        start, second_start, num = _beside(_longest(runs, box), box, first, second, common)
        if not num:
            continue
        yield start, second_start, num
        end, second_end = start + num, second_start + num
        if low < start and second_low < second_start:
            before = [run for run in runs if run[1] < start and run[2] < second_start]
            boxes.append(((low, start, second_low, second_start), before))
        if end < high and second_end < second_high:
            behind = [run for run in runs if run[1] - run[0] > end and run[2] - run[0] > second_end]
            boxes.append(((end, high, second_end, second_high), behind))


def _places(second: Sequence[str], common: Set[str]) -> Places:
    """Return where each item is; not those in `common`."""
    places: Places = {}
    for place, item in enumerate(second):
        if item not in common:
            places.setdefault(item, []).append(place)
    return places


def _have_pairs(first: Sequence[str], second: Sequence[str], places: Places) -> bool:
    """Whether two items that follow one another in one list do so in the other."""
    pairs = {pair for pair in pairwise(second) if pair[0] in places and pair[1] in places}
    return bool(pairs) and any(map(pairs.__contains__, pairwise(first)))


def _singles(
    first: Sequence[str], second: Sequence[str], common: Set[str], places: Places
) -> Iterator[Block]:
    """Yield the blocks of lists that have no pairs in common: every run is one item.

    So each block is the first item that the rest of the other list has, where it comes first.
    """
    low, high, second_low, second_high = 0, len(first), 0, len(second)
    for start in range(high):
        known = places.get(first[start])
        if start < low or known is None or known[-1] < second_low:
            continue
        place = known[bisect_left(known, second_low)]
        box = low, high, second_low, second_high
        block = _beside((start, place, 1), box, first, second, common)
        yield from _of_common((low, block[0], second_low, block[1]), first, second, common)
        yield block
        low, second_low = block[0] + block[2], block[1] + block[2]
    yield from _of_common((low, high, second_low, second_high), first, second, common)


def _of_common(
    box: Box, first: Sequence[str], second: Sequence[str], common: Set[str]
) -> Iterator[Block]:
    """Yield the block of nothing but items of `common` with which a box begins, if it does."""
    if box[0] < box[1] and box[2] < box[3]:
        block = _beside((box[0], box[2], 0), box, first, second, common)
        if block[2]:
            yield block


def _runs(first: Sequence[str], places: Places) -> list[Run]:
    """Return all runs of equal items, the longest first."""
    runs: list[Run] = []
    lengths: dict[int, int] = {}
    """Of the runs that reach the item before, by their place in the second list."""
    for start, item in enumerate(first):
        longer = {place: lengths.pop(place - 1, 0) + 1 for place in places.get(item, ())}
        if lengths:
            runs += [(-num, start - num, place - num + 1) for place, num in lengths.items()]
        lengths = longer
    start = len(first)
    runs += [(-num, start - num, place - num + 1) for place, num in lengths.items()]
    runs.sort()
    return runs


def _longest(runs: list[Run], box: Box) -> Block:
    """Return the longest part of a run that lies in a box; of several the first."""
    low, high, second_low, second_high = box
    best, most = (low, second_low, 0), 0
    for minus_num, start, second_start in runs:
        num = -minus_num
        if num < most:
            break
        skipped = max(low - start, second_low - second_start, 0)
        inside = min(num, high - start, second_high - second_start) - skipped
        here = start + skipped, second_start + skipped
        if inside > most or (inside == most > 0 and here < best[:2]):
            best, most = (*here, inside), inside
        if inside == num:
            break  # those behind it are shorter, or begin later
    return best


def _beside(
    block: Block, box: Box, first: Sequence[str], second: Sequence[str], common: Set[str]
) -> Block:
    """Return a block with the equal items of `common` on both its sides."""
    low, high, second_low, second_high = box
    start, second_start, num = block
    while (
        start > low
        and second_start > second_low
        and second[second_start - 1] in common
        and first[start - 1] == second[second_start - 1]
    ):
        start, second_start, num = start - 1, second_start - 1, num + 1
    while (
        start + num < high
        and second_start + num < second_high
        and second[second_start + num] in common
        and first[start + num] == second[second_start + num]
    ):
        num += 1
    return start, second_start, num
