"""Tree of thought: a problem's partial solutions, each continued in several ways."""

from collections.abc import Iterator
from itertools import count, islice

import numpy as np

from radixlab.config import positive
from radixlab.workloads.generators.draw import join, stream, text, tokens
from radixlab.workloads.request import Request, TokenArray

INSTRUCTION_TOKENS = 800
"""How to propose a next step, with a worked example: the same for every problem."""
PROBLEM_TOKENS = (100, 400)
THOUGHT_TOKENS = (40, 160)
"""A step of a solution: a few sentences."""
BREADTH, DEPTH = 3, 3
"""3 + 9 + 27 = 39 requests a problem. Searches that prune keep about as many."""


def tree_of_thought(num_requests: int, seed: int) -> Iterator[Request]:
    """Problem after problem; every thought is continued in three ways, three thoughts deep.

    A model of search at inference time (Yao et al. 2023), without pruning. All share the
    instructions; a problem's requests share its statement; a thought's prompt is its parent's
    prompt *and output*, and the three continuations of a thought have the same prompt. So all is
    cached but a problem's statement and, for each thought, the block that its parent's tokens do
    not fill: a cache can at most find 0.99 of what is sent, and needs only one problem's 300
    blocks of 16 to do so.

    >>> requests = list(tree_of_thought(6, seed=0))
    >>> requests[0].label, requests[5].label
    ('problem 0, thought 0', 'problem 0, thought 0.2')
    >>> thought_0 = [*requests[0].prompt, *requests[0].output]
    >>> all(request.prompt.tolist() == thought_0 for request in requests[3:])
    True
    """
    instructions = tokens(stream(seed, "thoughts", "instructions"), INSTRUCTION_TOKENS)
    problems = (_problem(stream(seed, "thoughts", n), instructions, n) for n in count())
    requests = (request for problem in problems for request in problem)
    return islice(requests, positive("num_requests", num_requests))


def _problem(rng: np.random.Generator, start: TokenArray, number: int) -> Iterator[Request]:
    """Grow the tree level by level, as a search that compares all thoughts of a level would."""
    level = [("", join(start, text(rng, PROBLEM_TOKENS)))]
    for _ in range(DEPTH):
        children = []
        for name, prompt in level:
            for branch in range(BREADTH):
                thought = text(rng, THOUGHT_TOKENS)
                child = f"{name}.{branch}" if name else str(branch)
                yield Request(prompt, thought, label=f"problem {number}, thought {child}")
                children.append((child, join(prompt, thought)))
        level = children
