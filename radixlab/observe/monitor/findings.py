"""What the monitor can find, in words: the name, what it means, and what to do about it.

This file knows sentences. It does not know when which one is true.
"""

from dataclasses import asdict, dataclass
from typing import Any

from radixlab.observe.monitor.figures import Figure, Missing

TITLES = {
    "healthy": "healthy",
    "thrash": "thrash: the cache evicts what is asked for again",
    "pool_too_small": "pool too small: the running requests alone fill it",
    "prefix_broken_early": "prefix broken early: prompts differ near their beginning",
    "no_shared_prefixes": "no shared prefixes: the prompts have nothing in common",
    "leak": "leak: blocks are in use although nothing runs",
    "nothing_arrives": "nothing arrives: no request in this window",
    "little_reuse": "little is reused, and this engine does not say why",
    "unknown": "cannot tell: the page counts neither requests nor prompt tokens",
}
ADVICE = {
    "thrash": "Give the pool more blocks, add a host tier, or send requests that share a prefix "
    "close together.",
    "pool_too_small": "Give the pool more blocks, or let fewer requests run at once.",
    "prefix_broken_early": "Look for a value that changes at the top of the prompt (a date, an id, "
    "a user's name) and move it to the end.",
    "no_shared_prefixes": "If the prompts should share a beginning, look at their very first "
    "token: a value that changes there looks the same as prompts with nothing in common.",
    "leak": "Restart the server and report it with its log: a request ended without giving its "
    "blocks back.",
    "nothing_arrives": "Check the clients and what lies between them and the server.",
    "little_reuse": "Compare two prompts that should share a beginning, and see whether a larger "
    "pool helps.",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding."""

    name: str
    """`healthy`, `thrash`, `pool_too_small`, `prefix_broken_early`, `no_shared_prefixes`, `leak`,
    `nothing_arrives`, `little_reuse`, where the engine publishes no reasons, or `unknown`, if its
    page is almost empty."""
    evidence: tuple[str, ...]
    """Sentences with the numbers it rests on."""
    cannot_tell: tuple[str, ...] = ()
    """The diagnoses between which the engine's page cannot decide."""

    @property
    def title(self) -> str:
        """The finding in plain words."""
        return TITLES[self.name]

    @property
    def advice(self) -> str:
        """What to do; empty for a healthy cache."""
        return ADVICE.get(self.name, "")

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"title": self.title, "advice": self.advice}


def shown(figure: Figure, pattern: str) -> str:
    """Format a number; say of a missing one why it is missing.

    >>> shown(0.5, ".0%"), shown(Missing.NO_DATA, ".0%")
    ('50%', 'no data')
    """
    return figure.value if isinstance(figure, Missing) else format(figure, pattern)


def counted(number: int, word: str) -> str:
    """Write a count with its word: `1 reading`, `2 readings`, `3 quantities`."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number:,} {word if number == 1 else plural}"
