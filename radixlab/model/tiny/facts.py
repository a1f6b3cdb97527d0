"""Made-up fact sheets: the language that the tiny model reads and answers in.

A sheet is a text of facts about people, between filler sentences without meaning:

    The old mill rests. Mina Ashford lives in Beirut. Omar Elmwood has code 47. …

Every fact answers one question: `Q: Where does Mina Ashford live? A: Mina Ashford lives in Beirut.`
On the next sheet she lives somewhere else, so the model can find the answer only in the text. This
file knows words and random numbers. It does not know token ids, tensors or models.
"""

import re
from dataclasses import dataclass
from random import Random

from radixlab.config import ConfigError
from radixlab.model.tiny.lexicon import (
    ADJECTIVES,
    ADVERBS,
    ANIMALS,
    CITIES,
    FIRST_NAMES,
    INSTRUMENTS,
    LAST_NAMES,
    NOUNS,
    PREPOSITIONS,
    VERBS,
)

MAX_FACTS = 32
FACT_TOKENS = 6
FILLER_TOKENS = range(4, 11)
"""The lengths of a filler sentence."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A kind of fact. All kinds have two words between the name and the value."""

    words: str
    ask: str
    verb: str
    values: tuple[str, ...]


RELATIONS = (
    Relation("lives in", "Where does", "live", tuple(CITIES)),
    Relation("keeps a", "What pet does", "keep", tuple(ANIMALS)),
    Relation("plays the", "What does", "play", tuple(INSTRUMENTS)),
    Relation("has code", "What code does", "have", tuple(map(str, range(10, 100)))),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about one person."""

    name: str
    relation: Relation
    value: str

    @property
    def sentence(self) -> str:
        """The sentence on the sheet, which is the answer word for word."""
        return f"{self.name} {self.relation.words} {self.value}."

    @property
    def question(self) -> str:
        """The question that the sentence answers."""
        return f"{self.relation.ask} {self.name} {self.relation.verb}?"


@dataclass(frozen=True, slots=True)
class FactSheet:
    """A document, and its facts in order."""

    text: str
    facts: tuple[Fact, ...]

    def prompt(self, fact: Fact) -> str:
        """Return the document and the question, up to the beginning of the answer."""
        return f"{self.text} Q: {fact.question} A:"


def fact_sheet(seed: int, num_facts: int = 8, num_tokens: int = 128) -> FactSheet:
    """Make a sheet of exactly `num_tokens` tokens, about people that training never saw.

    >>> sheet = fact_sheet(seed=7, num_facts=2, num_tokens=24)
    >>> len(words(sheet.text))
    24
    """
    return draw_sheet(Random(seed), num_facts, num_tokens, unseen=True)


def draw_sheet(
    rng: Random, num_facts: int, num_tokens: int, unseen: bool, share: float = 0.0
) -> FactSheet:
    """Draw facts, and filler up to `num_tokens`, in a random order; see `draw_facts`."""
    facts = draw_facts(rng, num_facts, unseen, share)
    sentences = draw_filler(rng, num_tokens - FACT_TOKENS * num_facts)
    indices = sorted(rng.sample(range(num_facts + len(sentences)), num_facts))
    for index, fact in zip(indices, facts, strict=True):
        sentences.insert(index, fact.sentence)
    return FactSheet(" ".join(sentences), tuple(facts))


def draw_facts(rng: Random, num_facts: int, unseen: bool, share: float = 0.0) -> list[Fact]:
    """Draw facts with different values, about people with or without unseen names.

    With probability `share` a first or a last name repeats one on the sheet: this gives namesakes,
    and people about whom there are two facts. At 0 no two facts share a name.
    """
    if not 1 <= num_facts <= MAX_FACTS:
        raise ConfigError(f"num_facts is {num_facts}: a sheet has 1 to {MAX_FACTS}")
    values = {relation: rng.sample(relation.values, num_facts) for relation in RELATIONS}
    firsts: list[str] = []
    lasts: list[str] = []
    facts: dict[tuple[str, Relation], Fact] = {}
    while len(facts) < num_facts:
        first = draw_name(rng, FIRST_NAMES, firsts, share)
        last = draw_name(rng, LAST_NAMES, lasts, share)
        key = f"{first} {last}", rng.choice(RELATIONS)
        if is_unseen(first, last) == unseen and key not in facts:
            facts[key] = Fact(*key, values[key[1]].pop())
            firsts.append(first)
            lasts.append(last)
    return list(facts.values())


def draw_name(rng: Random, names: list[str], used: list[str], share: float) -> str:
    """Draw one of the `used` names with probability `share`, else an unused name."""
    if used and rng.random() < share:
        return rng.choice(used)
    return rng.choice([name for name in names if name not in used])


def is_unseen(first: str, last: str) -> bool:
    """Whether training leaves out this pair of names, as it does a quarter of all pairs."""
    return (FIRST_NAMES.index(first) + LAST_NAMES.index(last)) % 4 == 0


def draw_filler(rng: Random, num_tokens: int) -> list[str]:
    """Draw sentences without names or values, with `num_tokens` tokens in total."""
    shortest = FILLER_TOKENS[0]
    if num_tokens < 0 or 0 < num_tokens < shortest:
        raise ConfigError(
            f"{num_tokens} tokens are left beside facts of {FACT_TOKENS} tokens each: "
            f"must be 0, or {shortest} and more"
        )
    sentences = []
    while num_tokens:
        fits = [n for n in FILLER_TOKENS if n == num_tokens or n + shortest <= num_tokens]
        length = rng.choice(fits)
        sentences.append(draw_sentence(rng, length))
        num_tokens -= length
    return sentences


def draw_sentence(rng: Random, num_tokens: int) -> str:
    """Draw a filler sentence of 4 to 10 tokens, its full stop included."""
    parts = ["The", rng.choice(NOUNS), rng.choice(VERBS)]
    optional = [(3, ADVERBS), (1, ADJECTIVES)]
    if num_tokens >= 7:
        parts += [rng.choice(PREPOSITIONS), "the", rng.choice(NOUNS)]
        optional.insert(0, (5, ADJECTIVES))
    chosen = sorted(rng.sample(range(len(optional)), num_tokens - 1 - len(parts)))
    for index, pool in (optional[i] for i in chosen):  # from the back, so that indices stay valid
        parts.insert(index, rng.choice(pool))
    return " ".join(parts) + "."


def words(text: str) -> list[str]:
    """Split a text into tokens: words, and the marks that end sentences.

    >>> words("Q: Where does Mina Ashford live?")
    ['Q:', 'Where', 'does', 'Mina', 'Ashford', 'live', '?']
    """
    return re.findall(r"[^\s.?]+|[.?]", text)


def vocabulary() -> list[str]:
    """Return every word of the language once, in a fixed order."""
    asked = [word for kind in RELATIONS for word in words(f"{kind.ask} {kind.verb} {kind.words}")]
    filler = ["The", "the", *ADJECTIVES, *NOUNS, *VERBS, *PREPOSITIONS, *ADVERBS]
    values = [value for kind in RELATIONS for value in kind.values]
    every = [".", "?", "Q:", "A:", *asked, *filler, *FIRST_NAMES, *LAST_NAMES, *values]
    return list(dict.fromkeys(every))
