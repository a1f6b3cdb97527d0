"""Seeded traffic by name, for when there is no trace: three shapes that a prefix cache meets.

Each generator is `(num_requests, seed) -> Iterator[Request]`; the same arguments give the same
tokens, and asking for more requests changes none of the first. A plug-in registers itself in
`GENERATORS`. This file knows nothing of caches.
"""

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

from radixlab.config import positive
from radixlab.workloads.request import Request, TokenArray, frozen

VOCAB_SIZE = 128_000

SYSTEM_PROMPT_TOKENS = 1024
OPEN_DOCUMENTS = 8
QUESTIONS_PER_DOCUMENT = 10

Generator = Callable[[int, int], Iterator[Request]]


def shared_prompt(num_requests: int, seed: int) -> Iterator[Request]:
    """One system prompt, many users.

    1,024 tokens are everyone's, then come 64 to 512 of one's own; the output has 32 to 256.

    >>> first, second = shared_prompt(2, seed=0)
    >>> bool((first.prompt[:1024] == second.prompt[:1024]).all())
    True
    """
    rng = np.random.default_rng(seed)
    system = _tokens(rng, SYSTEM_PROMPT_TOKENS)
    for index in range(positive("num_requests", num_requests)):
        question = _tokens(rng, _between(rng, 64, 512))
        yield Request(
            _join(system, question), _tokens(rng, _between(rng, 32, 256)), label=f"user {index}"
        )


def document_qa(num_requests: int, seed: int) -> Iterator[Request]:
    """Questions about long documents.

    A document has 4,000 to 8,000 tokens, a question 20 to 80, its answer 50 to 200. Eight
    documents are open at a time and questions about them are mixed; after its tenth question a
    document gives way to a new one. So about nine prompts in ten find their document, if the pool
    holds the open ones (3,000 blocks of 16).

    >>> [request.label for request in document_qa(3, seed=0)]
    ['document 6, question 0', 'document 5, question 0', 'document 5, question 1']
    """
    rng, numbers = np.random.default_rng(seed), count()
    open_documents = [_questions(rng, next(numbers)) for _ in range(OPEN_DOCUMENTS)]
    for _ in range(positive("num_requests", num_requests)):
        place = _between(rng, 0, OPEN_DOCUMENTS - 1)
        request = next(open_documents[place], None)
        if request is None:
            open_documents[place] = _questions(rng, next(numbers))
            request = next(open_documents[place])
        yield request


def _questions(rng: np.random.Generator, number: int) -> Iterator[Request]:
    """Draw a document, then ask about it until nothing is left to ask."""
    document = _tokens(rng, _between(rng, 4000, 8000))
    for question in range(QUESTIONS_PER_DOCUMENT):
        prompt = _join(document, _tokens(rng, _between(rng, 20, 80)))
        label = f"document {number}, question {question}"
        yield Request(prompt, _tokens(rng, _between(rng, 50, 200)), label=label)


def diverse(num_requests: int, seed: int) -> Iterator[Request]:
    """Nobody shares anything, so a cache is of no use.

    Prompts have 256 to 4,096 tokens and outputs 32 to 256, all of them new.

    >>> first, second = diverse(2, seed=0)
    >>> bool((first.prompt[:16] == second.prompt[:16]).all())
    False
    """
    rng = np.random.default_rng(seed)
    for index in range(positive("num_requests", num_requests)):
        prompt = _tokens(rng, _between(rng, 256, 4096))
        yield Request(prompt, _tokens(rng, _between(rng, 32, 256)), label=f"request {index}")


GENERATORS: dict[str, Generator] = {
    "shared-prompt": shared_prompt,
    "document-qa": document_qa,
    "diverse": diverse,
}
"""Generators by the name that `radixlab replay` takes."""


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _tokens(rng: np.random.Generator, num_tokens: int) -> TokenArray:
    return frozen(rng.integers(VOCAB_SIZE, size=num_tokens, dtype=np.int32))


def _join(head: TokenArray, tail: TokenArray) -> TokenArray:
    return frozen(np.concatenate((head, tail)))
