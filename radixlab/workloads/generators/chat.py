"""Conversations: every turn sends the whole conversation so far."""

from collections.abc import Iterator

import numpy as np

from radixlab.workloads.generators.draw import between, join, stream, text, tokens
from radixlab.workloads.generators.interleave import interleave
from radixlab.workloads.request import Request, TokenArray

SYSTEM_PROMPT_TOKENS = 512
"""A page of instructions, the same for all."""
OPEN_CONVERSATIONS = 16
"""People who are typing now; together they hold some 1,500 blocks of 16, a small GPU's pool."""
MOST_TURNS = 8
"""Most conversations are over after a few turns."""
MESSAGE_TOKENS = (20, 200)
"""People write one sentence to one paragraph …"""
ANSWER_TOKENS = (50, 600)
"""… and models answer at three or four times the length."""


def multi_turn_chat(num_requests: int, seed: int) -> Iterator[Request]:
    """Chats of one to eight turns; a turn's prompt is the conversation so far and a new message.

    A model of a chat service. Everyone shares the system prompt, and a turn shares all of the
    previous turn's prompt *and its answer*. A cache that keeps the KV of outputs computes only the
    new message: it can at most find 0.93 of what is sent.

    >>> first, second = multi_turn_chat(2, seed=0)
    >>> first.label, second.label
    ('conversation 0, turn 0', 'conversation 0, turn 1')
    >>> so_far = [*first.prompt, *first.output]
    >>> second.prompt[: len(so_far)].tolist() == so_far
    True
    """
    system = tokens(stream(seed, "chat", "system"), SYSTEM_PROMPT_TOKENS)

    def start(number: int) -> Iterator[Request]:
        return _conversation(stream(seed, "chat", number), system, number)

    return interleave(stream(seed, "chat", "order"), num_requests, OPEN_CONVERSATIONS, start)


def _conversation(rng: np.random.Generator, so_far: TokenArray, number: int) -> Iterator[Request]:
    for turn in range(between(rng, 1, MOST_TURNS)):
        prompt = join(so_far, text(rng, MESSAGE_TOKENS))
        answer = text(rng, ANSWER_TOKENS)
        yield Request(prompt, answer, label=f"conversation {number}, turn {turn}")
        so_far = join(prompt, answer)
