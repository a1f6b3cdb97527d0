"""How the tokens of one prompt are divided among the cache's layers and the differences."""

from collections.abc import Iterator
from dataclasses import dataclass

from radixlab.why.alignment import Change
from radixlab.why.cache import Layers
from radixlab.why.judge import Verdict
from radixlab.why.profiles import Profile
from radixlab.why.prompt import Prompt
from radixlab.why.units import MESSAGES, Unit

LEAST_IN_NEWEST = 64
"""Tokens that must agree again behind a difference in the newest message. Questions made from a
template differ in a name and end alike; that is not a fault. A clock above a long text is one."""
LEAST_OF_SCOPE = 64
"""Tokens that another model must have; two customers' prompts may begin alike by chance."""
HALF = 0.5
LEAST_QUESTION = 64
"""Characters of a question by which a conversation is known again."""
LEAST_QUESTION_OF_IDS = 256
"""Token ids are written with more characters: about 45 ids, of which a template adds some."""


class Losses:
    """The tokens of one prompt that were not found and have no cause yet."""

    def __init__(self, num_tokens: int, layers: Layers, profile: Profile) -> None:
        self._layers, self._profile = layers, profile
        self.rest = num_tokens - layers.anywhere
        """Tokens behind the longest prefix that any earlier request has."""
        self.unexplained = num_tokens - layers.found

    def of_prefix(self) -> Iterator[tuple[str, int]]:
        """Yield what was lost of the prefix, by cause, and take it.

        Prefixes count in whole blocks or steps. What the last step does not cover cannot be
        avoided; it stays with what was never seen.
        """
        layers = self._layers
        short = layers.kept - layers.found
        if layers.found and not self._profile.breakpoints:
            short = 0
        if layers.is_short:
            short = self.unexplained
        other = layers.anywhere - layers.in_scope
        layered = (
            ("model_changed", other if other >= LEAST_OF_SCOPE else 0),
            ("expired", layers.in_scope - layers.alive),
            ("evicted", layers.alive - layers.kept),
            ("below_minimum", short if layers.is_short or short >= self._profile.block_size else 0),
        )
        for cause, tokens in layered:
            if tokens > 0:
                yield cause, self.take(tokens)

    def take(self, num_tokens: int) -> int:
        """Give at most so many of the unexplained tokens a cause; return how many."""
        taken = max(0, min(num_tokens, self.unexplained))
        self.unexplained -= taken
        return taken


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens that are in the reference too, behind the difference with number `first`."""

    first: int
    tokens: int


def stretches(
    changes: list[Change],
    verdicts: list[Verdict],
    new: Prompt,
    old: Prompt,
    known: int,
    block_size: int,
) -> list[Stretch]:
    """Return what each difference has cost: the tokens up to the next one that agree again.

    The `known` first tokens were found or have a cause. Differences of white space or of order that
    follow one another are one, and what is inside them was in the reference too. Fewer tokens than
    a block are not counted.
    """
    newest = _newest(new.units)
    is_text = not newest and not _same_session(new, old)
    rows: list[Stretch] = []
    number = 0
    while number < len(changes):
        first, verdict = number, verdicts[number]
        is_run = verdict.cause in ("whitespace", "order_changed")
        while is_run and number + 1 < len(changes) and verdicts[number + 1] == verdict:
            number += 1
        number += 1
        end = changes[number].span.start if number < len(changes) else len(new.text)
        span = changes[first].span
        start = span.start if is_run else span.end
        begin = known if not first and is_run else max(known, new.position(start))
        tokens = max(0, new.position(end) - begin)
        unit = changes[first].unit
        is_newest = unit.path in newest or (is_text and unit.path[0] not in MESSAGES)
        least = max(block_size, LEAST_IN_NEWEST if is_newest else 0)
        rows.append(Stretch(first, tokens if tokens >= least else 0))
    return rows


def _newest(units: list[Unit]) -> set[object]:
    """Return the paths of the messages behind the last answer; none for a prompt without them."""
    paths: set[object] = set()
    for unit in reversed(units):
        if unit.role == "assistant" and unit.path[0] in MESSAGES:
            break
        if unit.path[0] in MESSAGES and unit.role != "system":
            paths.add(unit.path)
    return paths


def conversation(changes: list[Change], new: Prompt, old: Prompt) -> bool:
    """Whether two prompts belong to the same conversation.

    Their sessions tell. Without them, most of the earlier messages or the last question does; in a
    prompt that is one text, its last line, if an answer follows.
    """
    if new.request.session and old.request.session:
        return _same_session(new, old)
    if any(unit.path[0] in MESSAGES for unit in old.units):
        return _has_most(changes, old) or _has_answered(new, old)
    least = LEAST_QUESTION if new.request.token_ids is None else LEAST_QUESTION_OF_IDS
    asked = old.text.rstrip()[-least:]
    return len(asked) == least and asked in new.text.rstrip()[:-1]


def _same_session(new: Prompt, old: Prompt) -> bool:
    session = new.request.session
    return bool(session) and session == old.request.session


def _has_most(changes: list[Change], old: Prompt) -> bool:
    """Whether most of an earlier conversation is unchanged, without its last question."""
    history = [unit for unit in old.units if _is_history(unit)]
    total = sum(unit.end - unit.start for unit in history[:-1])
    changed = sum(
        change.span.old_end - change.span.old_start
        for change in changes
        if change.old_unit and _is_history(change.old_unit)
    )
    return total > 0 and total - changed >= HALF * total


def _has_answered(new: Prompt, old: Prompt) -> bool:
    """Whether a prompt has the last question of an earlier one, with an answer behind it."""
    asked = [unit for unit in old.units if _is_history(unit)]
    asked = [unit for unit in asked if unit.role == "user"]
    if not asked or asked[-1].end - asked[-1].start < LEAST_QUESTION:
        return False
    question = old.text[asked[-1].start : asked[-1].end]
    units = new.units
    newest = _newest(units)
    earlier = [unit for unit in units if _is_history(unit) and unit.path not in newest]
    return any(new.text[unit.start : unit.end] == question for unit in earlier)


def _is_history(unit: Unit) -> bool:
    return unit.path[0] in MESSAGES and unit.role != "system"
