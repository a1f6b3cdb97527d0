"""Agents with tools: a long preamble, then a transcript that grows by a call and its result."""

from collections.abc import Iterator

import numpy as np

from radixlab.workloads.generators.draw import between, join, stream, text, tokens
from radixlab.workloads.generators.interleave import interleave
from radixlab.workloads.request import Request, TokenArray

PREAMBLE_TOKENS = 6144
"""Instructions and the JSON schemas of some twenty tools, at 200 to 300 tokens each."""
OPEN_TASKS = 8
"""Agents at work at once: while one waits for its tool, others ask."""
STEPS = (5, 15)
TASK_TOKENS = (50, 400)
"""A sentence, or a bug report."""
CALL_TOKENS = (40, 160)
"""What the model writes in a step: a thought and one call."""
RESULT_TOKENS = (50, 1500)
"""What the tool returns: an error line, or a file. Most of the transcript."""


def agent(num_requests: int, seed: int) -> Iterator[Request]:
    """Eight agents with the same tools, each asking once per step with all it did so far.

    A model of a coding or research assistant. All share the preamble; a step shares the whole
    transcript up to the model's last call, so that only the tool's result is new. A cache can at
    most find 0.93 of what is sent, if it holds eight transcripts (some 3,000 blocks of 16 with the
    preamble). Those of finished tasks are dead weight; nothing in a request says so.

    >>> first, second = agent(2, seed=0)
    >>> first.label, second.label
    ('agent 0, step 0', 'agent 0, step 1')
    >>> len(first.prompt), len(first.output), len(second.prompt)
    (6218, 118, 7605)
    """
    preamble = tokens(stream(seed, "agent", "tools"), PREAMBLE_TOKENS)

    def start(number: int) -> Iterator[Request]:
        return _task(stream(seed, "agent", number), preamble, number)

    return interleave(stream(seed, "agent", "order"), num_requests, OPEN_TASKS, start)


def _task(rng: np.random.Generator, preamble: TokenArray, number: int) -> Iterator[Request]:
    prompt = join(preamble, text(rng, TASK_TOKENS))
    for step in range(between(rng, *STEPS)):
        call = text(rng, CALL_TOKENS)
        yield Request(prompt, call, label=f"agent {number}, step {step}")
        prompt = join(prompt, call, text(rng, RESULT_TOKENS))
