"""Questions about long documents, for a while, then about others."""

from collections.abc import Iterator
from itertools import count

import numpy as np

from radixlab.config import positive
from radixlab.workloads.generators.draw import between, join, tokens
from radixlab.workloads.request import Request

OPEN_DOCUMENTS = 8
QUESTIONS_PER_DOCUMENT = 10


def document_qa(num_requests: int, seed: int) -> Iterator[Request]:
    """Questions about long documents.

    A document has 4,000 to 8,000 tokens, a question 20 to 80, its answer 50 to 200. Eight
    documents are open at a time and questions about them are mixed; after its tenth question a
    document gives way to a new one. So about nine prompts in ten find their document, 0.89 of what
    is sent, if the pool holds the open ones (3,000 blocks of 16).

    >>> [request.label for request in document_qa(3, seed=0)]
    ['document 6, question 0', 'document 5, question 0', 'document 5, question 1']
    """
    rng, numbers = np.random.default_rng(seed), count()
    open_documents = [_questions(rng, next(numbers)) for _ in range(OPEN_DOCUMENTS)]
    for _ in range(positive("num_requests", num_requests)):
        place = between(rng, 0, OPEN_DOCUMENTS - 1)
        request = next(open_documents[place], None)
        if request is None:
            open_documents[place] = _questions(rng, next(numbers))
            request = next(open_documents[place])
        yield request


def _questions(rng: np.random.Generator, number: int) -> Iterator[Request]:
    """Draw a document, then ask about it until nothing is left to ask."""
    document = tokens(rng, between(rng, 4000, 8000))
    for question in range(QUESTIONS_PER_DOCUMENT):
        prompt = join(document, tokens(rng, between(rng, 20, 80)))
        label = f"document {number}, question {question}"
        yield Request(prompt, tokens(rng, between(rng, 50, 200)), label=label)
