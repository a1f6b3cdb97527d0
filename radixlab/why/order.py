"""Items that changed places: tools, examples, documents, keys of JSON, lines, messages.

When items of any kind change their order, the differences have the same words on both sides, in
another order. So this file counts words; it does not need to know what an item is.
"""

from collections import Counter
from dataclasses import replace
from itertools import accumulate, islice
from operator import eq

from radixlab.why.alignment import Change, texts_of
from radixlab.why.anchors import share_windows
from radixlab.why.counting import Counts, num_in_both, visible_word, visible_words
from radixlab.why.diff import Span
from radixlab.why.prompt import Prompt
from radixlab.why.values import is_number, kind_of

MOST_OF_VALUE = 200
"""Characters of the longest value; what is longer is a passage."""
SAME_ITEMS = 0.9
"""Share of the words from which on two passages hold the same items."""
FEWEST_WORDS = 6
FEWEST_ALIKE = 4
"""Words below which equal words in another order are chance."""
Words = tuple[Counts, Counts]
"""How often each word comes in a difference: in the prompt, and in the earlier one."""


def containers(changes: list[Change], open_ones: list[int]) -> list[list[int]]:
    """Group the differences whose items may have changed places: in one unit, or among messages."""
    groups: dict[object, list[int]] = {}
    for number in open_ones:
        change = changes[number]
        key = "messages" if change.is_whole else change.unit.path
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def reordered(changes: list[Change], numbers: list[int], new: Prompt, old: Prompt) -> list[int]:
    """Return those differences that together hold the same items before and after.

    These are the first ones, as many as balance: what differs behind them is another matter. So
    are single values among them, such as a clock.
    """
    pairs = [texts_of(change, new, old) for change in changes]
    if not _may_balance(pairs):
        return []
    words: list[Words] = [(visible_words(text), visible_words(before)) for text, before in pairs]
    everything = list(range(len(pairs)))
    unknown = [i for i in everything if not _is_known(*pairs[i])]
    passages = [i for i in unknown if not _is_value(*pairs[i])]
    for chosen in _distinct(everything, unknown, passages):
        if num := _num_balanced([words[i] for i in chosen]):
            return [numbers[i] for i in chosen[:num]]
    for chosen in _distinct(unknown, passages):
        if _are_alike([words[i] for i in chosen]):
            return [numbers[i] for i in chosen]
    return []


def _distinct(*choices: list[int]) -> list[list[int]]:
    return [each for number, each in enumerate(choices) if each not in choices[:number]]


def _num_balanced(pairs: list[Words]) -> int:
    """Return how many of the first pairs have, all together, the same words on both sides."""
    totals, totals_before = (
        list(accumulate(words[side].total() for words in pairs)) for side in (0, 1)
    )
    if not any(map(eq, totals, totals_before)):
        return 0  # nor are their numbers of words ever the same
    balance, num = Balance(), 0
    for number, (words, before) in enumerate(pairs, 1):
        balance.add(words, 1)
        balance.add(before, -1)
        if totals[number - 1] >= FEWEST_ALIKE and not balance.words:
            num = number
    return num


def _are_alike(pairs: list[Words]) -> bool:
    """Whether most words of some differences are the same on both sides, in another order."""
    least, most = sorted(sum(words[side].total() for words in pairs) for side in (0, 1))
    if most < FEWEST_WORDS or least < SAME_ITEMS * most:
        return False
    now, then = (_sum([words[side] for words in pairs if words[side]]) for side in (0, 1))
    return num_in_both(now, then) >= SAME_ITEMS * most


def _sum(counts: list[Counts]) -> Counts:
    if len(counts) == 1:
        return counts[0]
    total: Counts = Counter()
    for each in counts:
        total.update(each)
    return total


class Balance:
    """By how much the words on one side outnumber those on the other."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        """Never zero: below it for a word that the other side has more often."""
        self.num_above = 0
        """Words of which this side has more."""

    def add(self, words: Counts, sign: int) -> None:
        """Add words to one side, or with the sign −1 to the other."""
        for word, num in words.items():
            before = self.words.get(word, 0)
            now = before + sign * num
            self.num_above += (now > 0) - (before > 0)
            if now:
                self.words[word] = now
            else:
                del self.words[word]

    def missing(self, sign: int) -> Counts | None:
        """Return the words that balance it, all of them on one side; None if both lack some.

        With the sign 1 the other side lacks them.
        """
        if not self.words or self.num_above != (len(self.words) if sign > 0 else 0):
            return None
        return Counter({word: sign * num for word, num in self.words.items()})


def _may_balance(pairs: list[tuple[str, str]]) -> bool:
    """Whether the differences can hold the same items: two new documents are not searched."""
    now, then = ("".join(each) for each in zip(*pairs, strict=True))
    return bool(now and then) and share_windows(now, then)


def _is_known(text: str, before: str) -> bool:
    return all(kind_of(each) or is_number(each) for each in (text, before))


def _is_value(text: str, before: str) -> bool:
    """Whether a difference is one short value in place of another."""
    both = text.strip(), before.strip()
    return all(both) and max(map(len, both)) <= MOST_OF_VALUE and "\n" not in "".join(both)


def split_moved(changes: list[Change], new: Prompt, old: Prompt) -> list[Change]:
    """Split a difference in which the last item that moved meets a text that only differs.

    The item stands at its new place where the old prompt went on with something else. The two are
    one difference to the comparison, but two matters.
    """
    found = changes
    for numbers in containers(changes, list(range(len(changes)))):
        cut = _end_of_moved([texts_of(changes[i], new, old) for i in numbers])
        if cut is not None:
            at = changes[numbers[cut[0]]]
            halves = _halves(at, *cut[1:])
            found = [each for c in found for each in (halves if c is at else (c,))]
    return found


def _halves(change: Change, length: int, in_new: bool) -> tuple[Change, Change]:
    """Split a difference behind the first characters of one of its sides."""
    span = change.span
    start, old_start = span.start + length * in_new, span.old_start + length * (not in_new)
    first = Span(span.start, start, span.old_start, old_start)
    second = Span(start, span.end, old_start, span.old_end)
    return replace(change, span=first), replace(change, span=second)


def _end_of_moved(pairs: list[tuple[str, str]]) -> tuple[int, int, bool] | None:
    """Return the last pair of which one side begins with what balances all pairs before it.

    With it come the number of characters that do, and whether they are in the prompt's side.
    """
    if not any(now and then for now, then in pairs[1:]) or not _may_balance(pairs):
        return None
    balance = Balance()
    found: tuple[int, int, bool] | None = None
    for number, pair in enumerate(pairs):
        started = bool(balance.words)
        for in_new, sign in ((True, -1), (False, 1)):
            missing = balance.missing(sign) if all(pair) else None
            length = _length_of(missing, pair[not in_new]) if missing else 0
            found = (number, length, in_new) if length else found
        balance.add(visible_words(pair[0]), 1)
        balance.add(visible_words(pair[1]), -1)
        if started and not balance.words:
            found = None
    return found


def _length_of(words: Counts, text: str) -> int:
    """Return how many characters at the beginning of a text have just these words; 0 if none."""
    num = words.total()
    if num < FEWEST_WORDS:
        return 0
    found = list(islice(visible_word(text).finditer(text), num))
    return found[-1].end() if found and Counter(each[0] for each in found) == words else 0
