"""Fresh prompts, drawn from a seed, that share exactly as much as a check wants.

A prompt is a row of units: token ids where the server takes them, else words. Each check draws from
its own generator, so what it sends does not depend on which other checks run.
"""

import random
from dataclasses import dataclass
from typing import Literal

Form = Literal["ids", "text", "chat"]
"""How prompts are sent: as token ids, as text, or as the message of a chat."""
LETTERS = 26


@dataclass(frozen=True, slots=True)
class Prompt:
    """The units of a prompt."""

    units: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.units)

    def text(self) -> str:
        """Write each unit as a word."""
        return " ".join(map(word, self.units))

    def cut(self, num_units: int) -> "Prompt":
        """Return the beginning."""
        return Prompt(self.units[:num_units])

    def num_shared(self, other: "Prompt") -> int:
        """Count the units that both begin with."""
        pairs = zip(self.units, other.units, strict=False)
        return next(
            (index for index, (a, b) in enumerate(pairs) if a != b), min(len(self), len(other))
        )


class Prompts:
    """Draws prompts whose units are from `low` to `high - 1`."""

    def __init__(self, seed: str, low: int, high: int) -> None:
        self._random = random.Random(seed)
        self._low, self._high = low, high

    def fresh(self, num_units: int) -> Prompt:
        """Return a prompt that nobody has sent."""
        return Prompt(tuple(self.unit() for _ in range(num_units)))

    def fork(self, prompt: Prompt, num_kept: int, num_units: int) -> Prompt:
        """Return a prompt that shares the first `num_kept` units, and no letter after them."""
        kept = prompt.units[:num_kept]
        if num_units <= len(kept):
            return Prompt(kept[:num_units])
        after = prompt.units[num_kept] if num_kept < len(prompt) else None
        return Prompt((*kept, self._other(after), *self.fresh(num_units - len(kept) - 1).units))

    def unit(self) -> int:
        """Return a random unit."""
        return self._random.randrange(self._low, self._high)

    def _other(self, unit: int | None) -> int:
        """Return a unit whose word begins with another letter."""
        while True:
            found = self.unit()
            if unit is None or found % LETTERS != unit % LETTERS:
                return found


def word(unit: int) -> str:
    """Write a number as a word; the first letter is its remainder.

    >>> word(0), word(27), word(28)
    ('aa', 'bb', 'cb')
    """
    rest, first = divmod(unit, LETTERS)
    letters = ""
    while True:
        rest, last = divmod(rest, LETTERS)
        letters += chr(ord("a") + last)
        if not rest:
            return chr(ord("a") + first) + letters
