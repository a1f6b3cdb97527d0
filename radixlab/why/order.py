"""Items that changed places: tools, examples, documents, keys of JSON, lines, messages.

When items of any kind change their order, the differences have the same words on both sides, in
another order. So this file counts words; it does not need to know what an item is.
"""

from collections import Counter
from dataclasses import replace
from itertools import accumulate
from operator import eq

from radixlab.why.alignment import Change, texts_of
from radixlab.why.anchors import share_windows
from radixlab.why.counting import Counts, num_in_both, visible_word, visible_words
from radixlab.why.diff import ID_LEVELS, LEVELS, Span, differences, words_in
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


def moved_messages(changes: list[Change], new: Prompt, old: Prompt) -> list[int]:
    """Return those of some whole messages that stand in both prompts, at other places."""
    pairs = [tuple(each.strip() for each in texts_of(change, new, old)) for change in changes]
    now, then = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    both = Counter(
        {text: n for text, n in (now & then).items() if visible_words(text).total() > FEWEST_WORDS}
    )
    found = []
    for side in (0, 1):
        left = both.copy()
        for number, pair in enumerate(pairs):
            if left[pair[side]] > 0 and not pair[not side]:
                left[pair[side]] -= 1
                found.append(number)
    return sorted(found)


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
        if totals[number - 1] >= FEWEST_ALIKE and balance.is_even:
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
    """By how much the words on one side outnumber those on the other.

    Words are summed when somebody asks for single ones; mostly their numbers tell enough.
    """

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        """Never zero: below it for a word that the other side has more often."""
        self._num_above = 0
        """Words of which this side has more."""
        self._total = 0
        self._not_summed: list[tuple[Counts, int]] = []

    def add(self, words: Counts, sign: int) -> None:
        """Add words to one side, or with the sign −1 to the other."""
        self._not_summed.append((words, sign))
        self._total += sign * words.total()

    @property
    def is_even(self) -> bool:
        """Whether both sides have the same words, each as often."""
        return not self._total and not self.words

    @property
    def words(self) -> dict[str, int]:
        """By how many each word outnumbers itself on the other side; never zero."""
        balance = self._words
        for words, sign in self._not_summed:
            if sign > 0 and not balance:
                balance.update(words)
                self._num_above = len(balance)
                continue
            for word, num in words.items():
                before = balance.get(word, 0)
                now = before + sign * num
                self._num_above += (now > 0) - (before > 0)
                if now:
                    balance[word] = now
                else:
                    del balance[word]
        self._not_summed.clear()
        return balance

    def missing(self, sign: int) -> Counts | None:
        """Return the words that balance it, all of them on one side; None if both lack some.

        With the sign 1 the other side lacks them.
        """
        if sign * self._total <= 0:
            return None
        words = self.words
        if self._num_above != (len(words) if sign > 0 else 0):
            return None
        return Counter(words if sign > 0 else {word: -num for word, num in words.items()})


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
    one difference to the comparison, but two matters. If the item goes on behind the difference,
    because a few words in it happen to agree, what follows the item is compared again.
    """
    found = changes
    for numbers in containers(changes, list(range(len(changes)))):
        group = [changes[i] for i in numbers]
        if not _may_balance([texts_of(each, new, old) for each in group]):
            continue
        cut = _end_of_moved(group, new, old)
        if cut is not None:
            at = group[cut[0]]
            first, rest = _halves(at, *cut[1:])
            place = found.index(at)
            behind = found[place + 1 :]
            if rest.span.start <= rest.span.end and rest.span.old_start <= rest.span.old_end:
                found = [*found[:place], first, rest, *behind]
            else:
                behind = [each for each in behind if each.is_whole or each.unit != at.unit]
                found = [*found[:place], first, *_compared_again(rest, new, old), *behind]
    return found


def _compared_again(rest: Change, new: Prompt, old: Prompt) -> list[Change]:
    """Return what differs from the beginning of a difference to the end of its unit."""
    start, old_start = rest.span.start, rest.span.old_start
    old_end = rest.old_unit.end if rest.old_unit else old_start
    levels = LEVELS if new.request.token_ids is None else ID_LEVELS
    spans = differences(new.text[start : rest.unit.end], old.text[old_start:old_end], levels)
    return [replace(rest, span=span.moved(start, old_start)) for span in spans]


def _halves(change: Change, length: int, old_length: int) -> tuple[Change, Change]:
    """Split a difference behind the first characters of its sides."""
    span = change.span
    start, old_start = span.start + length, span.old_start + old_length
    first = Span(span.start, start, span.old_start, old_start)
    second = Span(start, span.end, old_start, span.old_end)
    return replace(change, span=first), replace(change, span=second)


def _end_of_moved(changes: list[Change], new: Prompt, old: Prompt) -> tuple[int, int, int] | None:
    """Return the last difference whose sides begin with what balances all before it.

    With it come the numbers of characters that do, in the prompt's side and in the other one.
    """
    balance, num_characters = Balance(), 0
    found: tuple[int, int, int] | None = None
    for number, change in enumerate(changes):
        pair = texts_of(change, new, old)
        started = not balance.is_even
        if started:
            lengths = _moved_alone(change, balance, num_characters, new, old)
            lengths = lengths or _moved_both(balance, *pair)
            found = (number, *lengths) if lengths else found
        num_characters = num_characters * started + len(pair[0]) - len(pair[1])
        balance.add(visible_words(pair[0]), 1)
        balance.add(visible_words(pair[1]), -1)
        if started and balance.is_even:
            found = None
    return found


def _moved_alone(
    change: Change, balance: Balance, num_characters: int, new: Prompt, old: Prompt
) -> tuple[int, int] | None:
    """Return the characters of one side that balance; they may go on behind the difference.

    The white space behind an item, of which `num_characters` tells, moves with it.
    """
    span = change.span
    ends = span.end, span.old_end
    if not change.is_whole and change.old_unit:
        ends = change.unit.end, change.old_unit.end
    for in_new, text in ((True, new.text), (False, old.text)):
        first, last = (span.start, span.end) if in_new else (span.old_start, span.old_end)
        if first == last:
            continue
        text, sign = text[first : ends[not in_new]], -1 if in_new else 1
        missing = balance.missing(sign)
        if missing and (length := _length_of(missing, text)):
            most = sign * num_characters
            length = most if text[length:most].isspace() else length
            return (length, 0) if in_new else (0, length)
    return None


def _moved_both(balance: Balance, text: str, before: str) -> tuple[int, int] | None:
    """Return the lengths of the beginnings of two sides that balance together, the longest ones.

    Items with the same words in any order have the same sum of the words' hashes.
    """
    if not text or not before or sum(map(abs, balance.words.values())) < FEWEST_WORDS:
        return None
    ends, total = dict[int, int](), 0
    for word in words_in(before):
        total += hash(word[0])
        ends[total] = word.end()
    found = None
    total = sum(hash(word) * num for word, num in balance.words.items())
    for word in words_in(text):
        total += hash(word[0])
        if total in ends:
            found = word.end(), ends[total]
    return found


def _length_of(words: Counts, text: str) -> int:
    """Return how many characters at the beginning of a text have just these words; 0 if none."""
    num = words.total()
    if num < FEWEST_WORDS:
        return 0
    left = dict(words)
    for word in visible_word(text).finditer(text):
        if not left.get(word[0]):
            return 0
        left[word[0]] -= 1
        num -= 1
        if not num:
            return word.end()
    return 0
