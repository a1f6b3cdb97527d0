"""Fresh prompts, drawn from a seed, that share exactly as much as a check wants.

A prompt is a sequence of units: token ids if the server takes them, else numbers of two digits,
which every tokenizer tells apart. Each check draws from its own generator, so what it sends does
not depend on which other checks run.
"""

import random
from dataclasses import dataclass
from typing import Literal

Form = Literal["ids", "text", "chat"]
"""How prompts are sent: as token ids, as text, or as the message of a chat."""
WORDS = (10, 100)
"""The least number that is sent as a word, and one more than the largest."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The units of a prompt."""

    units: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.units)

    def text(self) -> str:
        """Write the units as words."""
        return " ".join(map(str, self.units))

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
        """Return a prompt that shares the first `num_kept` units, and no digit after them."""
        kept = prompt.units[:num_kept]
        if num_units <= len(kept):
            return Prompt(kept[:num_units])
        after = prompt.units[num_kept] if num_kept < len(prompt) else None
        return Prompt((*kept, self._other(after), *self.fresh(num_units - len(kept) - 1).units))

    def unit(self) -> int:
        """Return a random unit."""
        return self._random.randrange(self._low, self._high)

    def _other(self, unit: int | None) -> int:
        """Return a unit that begins with another digit."""
        while True:
            found = self.unit()
            if unit is None or str(found)[0] != str(unit)[0]:
                return found
