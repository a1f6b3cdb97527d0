"""What the tiny model is shown, and when: sheets with ever more facts.

Every step draws new sheets, so none is seen twice. Knows rows and how well they went; no model.
"""

from dataclasses import dataclass
from random import Random

from radixlab.model.tiny.examples import Row, make_row
from radixlab.model.tiny.facts import FACT_TOKENS, MAX_FACTS, draw_sheet

MAX_TOKENS = 1024
"""The longest document."""
LENGTHS = {(4, 40): 6, (40, 250): 3, (250, MAX_TOKENS): 1}
"""Tokens of filler, from and to, and how often of ten."""
MAX_ASKED = 8
"""The most facts of a sheet that are asked for, or said again."""
ASKED_TOKENS = 15
"""About what a question and its answer take."""


@dataclass(slots=True)
class Curriculum:
    """How many facts a sheet has by now; the more, the harder."""

    num_facts: float = 6.0
    share_right: float = 0.0
    """A running mean over the values that were asked for."""

    def hear(self, share_right: float) -> None:
        """Learn how a step went; go on to more facts when most values come out right."""
        self.share_right += 0.03 * (share_right - self.share_right)
        if self.share_right > 0.93 and self.num_facts < MAX_FACTS:
            self.num_facts = min(1.1 * self.num_facts, MAX_FACTS)
            self.share_right = 0.8

    def draw_rows(self, rng: Random, step_tokens: int) -> list[Row]:
        """Draw documents of one length, mostly short, `step_tokens` in all with their questions."""
        num_facts = rng.randint(int(self.num_facts / 2), int(self.num_facts))
        least, most = rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
        num_tokens = min(MAX_TOKENS, FACT_TOKENS * num_facts + rng.randint(least, most))
        num_asked = min(num_facts, MAX_ASKED)
        num_rows = max(1, step_tokens // (num_tokens + ASKED_TOKENS * num_asked))
        return [draw_row(rng, num_facts, num_tokens, num_asked) for _ in range(num_rows)]


def draw_row(rng: Random, num_facts: int, num_tokens: int, num_asked: int) -> Row:
    """Draw a sheet, and ask for some of its facts; a fifth of them is said without a question.

    Three of ten sheets have namesakes, and people of whom there are two things to know.
    """
    share = 0.5 if rng.random() < 0.3 else 0.0
    sheet = draw_sheet(rng, num_facts, num_tokens, unseen=False, share=share)
    chosen = rng.sample(sheet.facts, num_asked)
    num_said = sum(rng.random() < 0.2 for _ in chosen)
    return make_row(sheet, chosen[num_said:], chosen[:num_said])
