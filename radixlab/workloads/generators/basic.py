"""The two ends of the scale: everyone shares the start of the prompt, or nobody shares anything."""

from collections.abc import Iterator

import numpy as np

from radixlab.config import positive
from radixlab.workloads.generators.draw import between, join, tokens
from radixlab.workloads.request import Request

SYSTEM_PROMPT_TOKENS = 1024


def shared_prompt(num_requests: int, seed: int) -> Iterator[Request]:
    """One system prompt, many users.

    1,024 tokens are everyone's, then come 64 to 512 of one's own; the output has 32 to 256. A cache
    can at most find the system prompt, 0.78 of what is sent.

    >>> first, second = shared_prompt(2, seed=0)
    >>> bool((first.prompt[:1024] == second.prompt[:1024]).all())
    True
    """
    rng = np.random.default_rng(seed)
    system = tokens(rng, SYSTEM_PROMPT_TOKENS)
    for index in range(positive("num_requests", num_requests)):
        question = tokens(rng, between(rng, 64, 512))
        yield Request(
            join(system, question), tokens(rng, between(rng, 32, 256)), label=f"user {index}"
        )


def diverse(num_requests: int, seed: int) -> Iterator[Request]:
    """Nobody shares anything, so a cache is of no use.

    Prompts have 256 to 4,096 tokens and outputs 32 to 256, all of them new.

    >>> first, second = diverse(2, seed=0)
    >>> bool((first.prompt[:16] == second.prompt[:16]).all())
    False
    """
    rng = np.random.default_rng(seed)
    for index in range(positive("num_requests", num_requests)):
        prompt = tokens(rng, between(rng, 256, 4096))
        yield Request(prompt, tokens(rng, between(rng, 32, 256)), label=f"request {index}")
