"""Few-shot prompts: instructions, worked examples in any order, a question."""

from collections.abc import Iterator

from radixlab.config import positive
from radixlab.workloads.generators.draw import join, stream, text, tokens
from radixlab.workloads.request import Request

INSTRUCTION_TOKENS = 256
"""What the task is and how to answer."""
NUM_EXAMPLES = 8
"""As many as chain-of-thought prompts usually show."""
EXAMPLE_TOKENS = (80, 160)
"""A question of two or three sentences, worked out step by step."""
QUESTION_TOKENS = (30, 100)
ANSWER_TOKENS = (60, 200)


def few_shot(num_requests: int, seed: int) -> Iterator[Request]:
    """Prompt with all eight examples of a fixed pool, reshuffled for every request.

    A model of a batch job whose author shuffles the examples against the bias of their order.
    Everyone shares the instructions, and those who drew the same examples *first* share these too:
    so a cache finds about three examples of eight after a thousand requests, at most 0.46 of what
    is sent. With the examples in one fixed order it would find all of them, 0.95.

    >>> first, second = few_shot(2, seed=0)
    >>> bool((first.prompt[:256] == second.prompt[:256]).all())
    True
    >>> bool((first.prompt[256:272] == second.prompt[256:272]).all())
    False
    """
    pool = stream(seed, "few-shot", "pool")
    instructions = tokens(pool, INSTRUCTION_TOKENS)
    examples = [text(pool, EXAMPLE_TOKENS) for _ in range(NUM_EXAMPLES)]
    for index in range(positive("num_requests", num_requests)):
        rng = stream(seed, "few-shot", index)
        shuffled = [examples[place] for place in rng.permutation(NUM_EXAMPLES)]
        prompt = join(instructions, *shuffled, text(rng, QUESTION_TOKENS))
        yield Request(prompt, text(rng, ANSWER_TOKENS), label=f"question {index}")
