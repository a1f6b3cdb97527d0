"""Conversations for a few replicas of the tiny model: every turn sends all turns before it.

Small enough for two cores, and shaped like a chat service: one short instruction for all, several
people at a time, and answers that come back in the next prompt.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radixlab.serve.replicas.clients import Answered, ask
from radixlab.serve.replicas.front import Front

VOCABULARY = (16, 400)
"""Ordinary tokens of the tiny model."""
INSTRUCTION_TOKENS = 16
MESSAGE_TOKENS = (40, 72)
ANSWER_TOKENS = 16
MOST_TURNS = 8


@dataclass(frozen=True, slots=True)
class Traffic:
    """What all clients got, and which replicas took it."""

    answers: list[Answered]
    num_routed: list[int]
    """Prompts by replica."""

    @property
    def hit_rate(self) -> float:
        """The share of prompt tokens that was cached."""
        sent = sum(each.num_prompt_tokens for each in self.answers)
        return sum(each.num_cached_tokens for each in self.answers) / sent

    @property
    def worst_share(self) -> float:
        """The busiest replica's prompts, as a multiple of the mean."""
        return max(self.num_routed) * len(self.num_routed) / sum(self.num_routed)

    @property
    def num_failed(self) -> int:
        """Prompts without an answer."""
        return sum(each.error is not None for each in self.answers)


async def converse(
    front: Front, num_sessions: int, num_open: int, seed: int, advance: Callable[[], object]
) -> Traffic:
    """Hold conversations of 3 to 8 turns, `num_open` of them at a time; each that ends is told."""
    before = front.roster.num_routed.copy()
    instruction = _tokens(np.random.default_rng(seed), INSTRUCTION_TOKENS)
    answers: list[Answered] = []
    waiting = list(range(num_sessions))[::-1]

    async def person() -> None:
        while waiting:
            number = waiting.pop()
            rng = np.random.default_rng([seed, number])
            so_far = list(instruction)
            for _ in range(rng.integers(3, MOST_TURNS, endpoint=True)):
                so_far += _tokens(rng, int(rng.integers(*MESSAGE_TOKENS)))
                answers.append(await ask(front, so_far, ANSWER_TOKENS, session=str(number)))
                so_far += answers[-1].token_ids
            advance()

    await asyncio.gather(*(person() for _ in range(num_open)))
    return Traffic(answers, _routed_since(front, before))


async def crowd(front: Front, num_requests: int, num_open: int, seed: int) -> Traffic:
    """Ask about one hot document that one replica has: prompts that share all but their end."""
    rng = np.random.default_rng(seed)
    document = _tokens(rng, 128)
    await ask(front, document + _tokens(rng, 16), ANSWER_TOKENS)
    before = front.roster.num_routed.copy()
    prompts = [document + _tokens(rng, 16) for _ in range(num_requests)]
    answers: list[Answered] = []

    async def person() -> None:
        while prompts:
            answers.append(await ask(front, prompts.pop(), ANSWER_TOKENS))

    await asyncio.gather(*(person() for _ in range(num_open)))
    return Traffic(answers, _routed_since(front, before))


def _routed_since(front: Front, before: dict[int, int]) -> list[int]:
    now = front.roster.num_routed
    return [now[number] - before[number] for number in sorted(front.roster.number_of.values())]


def _tokens(rng: np.random.Generator, number: int) -> list[int]:
    found: list[int] = rng.integers(*VOCABULARY, size=number).tolist()
    return found
