"""Few-shot prompts with their examples in one fixed order: what no plan can do, for 8.5.3."""

from radixlab.grade.ex3.scenes import Scene
from radixlab.workloads import Request
from radixlab.workloads.generators.draw import join, stream, text, tokens
from radixlab.workloads.generators.examples import (
    EXAMPLE_TOKENS,
    INSTRUCTION_TOKENS,
    NUM_EXAMPLES,
)


def fixed_examples(where: Scene) -> list[Request]:
    """Return the requests of a few-shot scene, none of them shuffled."""
    pool = stream(where.seed, "few-shot", "pool")
    begin = tokens(pool, INSTRUCTION_TOKENS)
    begin = join(begin, *(text(pool, EXAMPLE_TOKENS) for _ in range(NUM_EXAMPLES)))
    return [
        Request(join(begin, request.prompt[len(begin) :]), request.output)
        for request in where.requests()
    ]
