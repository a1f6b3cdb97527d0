"""The training data of the tiny model, by stages: sheets with more and more facts.

Every step draws new sheets, so no sheet is seen twice. This file knows rows and the share of right
answers. It does not know the model.
"""

from dataclasses import dataclass
from random import Random

from radixlab.model.tiny.examples import Row, make_row
from radixlab.model.tiny.facts import FACT_TOKENS, MAX_FACTS, draw_sheet

MAX_TOKENS = 1024
"""The longest document."""
LENGTHS = {(4, 40): 6, (40, 250): 3, (250, MAX_TOKENS): 1}
"""Ranges of filler tokens, each with its weight out of ten."""
MAX_ASKED = 8
"""The most facts of a sheet that are asked for or repeated."""
ASKED_TOKENS = 15
"""Roughly the tokens of a question and its answer."""


@dataclass(slots=True)
class Curriculum:
    """How many facts a sheet has at this stage; more facts are harder."""

    num_facts: float = 6.0
    share_right: float = 0.0
    """A running mean over the requested values."""

    def hear(self, share_right: float) -> None:
        """Record the result of a step; move on to more facts when most values are right."""
        self.share_right += 0.03 * (share_right - self.share_right)
        if self.share_right > 0.93 and self.num_facts < MAX_FACTS:
            self.num_facts = min(1.1 * self.num_facts, MAX_FACTS)
            self.share_right = 0.8

    def draw_rows(self, rng: Random, step_tokens: int) -> list[Row]:
        """Draw documents of one length, mostly short; with questions they have `step_tokens`."""
        num_facts = rng.randint(int(self.num_facts / 2), int(self.num_facts))
        least, most = rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
        num_tokens = min(MAX_TOKENS, FACT_TOKENS * num_facts + rng.randint(least, most))
        num_asked = min(num_facts, MAX_ASKED)
        num_rows = max(1, step_tokens // (num_tokens + ASKED_TOKENS * num_asked))
        return [draw_row(rng, num_facts, num_tokens, num_asked) for _ in range(num_rows)]


def draw_row(rng: Random, num_facts: int, num_tokens: int, num_asked: int) -> Row:
    """Draw a sheet, and ask for some of its facts; repeat a fifth of these without a question.

    Three of ten sheets have namesakes, and people about whom there are two facts.
    """
    share = 0.5 if rng.random() < 0.3 else 0.0
    sheet = draw_sheet(rng, num_facts, num_tokens, unseen=False, share=share)
    chosen = rng.sample(sheet.facts, num_asked)
    num_said = sum(rng.random() < 0.2 for _ in chosen)
    return make_row(sheet, chosen[num_said:], chosen[:num_said])
