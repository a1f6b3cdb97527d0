"""A hot set of documents, and what makes keeping it hard: a scan, or that it changes.

The two ways to fool a policy: plain recency keeps what was read once, plain frequency keeps what
was wanted long ago.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np

from radixlab.config import positive
from radixlab.workloads.generators.draw import between, join, pick, stream, text
from radixlab.workloads.request import Request, TokenArray

HOT_DOCUMENTS = 12
POPULARITY = [60 // rank for rank in range(1, HOT_DOCUMENTS + 1)]
"""Zipf's law, in whole numbers: the first is asked twice as often as the second, and so on."""
HOT_TOKENS = (2000, 4000)
"""Manuals and policies of a few pages. Twelve fill 2,250 blocks of 16."""
SCANNED_TOKENS = (4000, 8000)
"""Reports, longer than what people ask about."""
PHASE_REQUESTS = 100
"""An hour of a small service: each document of the phase is asked about three to thirty times."""
QUESTION_TOKENS = (20, 80)
ANSWER_TOKENS = (50, 200)


def scan_polluted(num_requests: int, seed: int) -> Iterator[Request]:
    """Questions about twelve hot documents, while a batch job reads others, each once.

    A model of interactive traffic beside a nightly summary of the archive; about every second
    request is the job's. A hot document is shared by all questions about it, a scanned one by
    nobody. A cache can at most find 0.30 of what is sent: the hot documents, which need 2,300
    blocks of 16. Between two questions about the least popular the job reads some 40 reports, six
    times as much: LRU evicts what will be needed for what will not.

    >>> [request.label for request in scan_polluted(4, seed=6)]
    ['document 1', 'document 8', 'scanned 0', 'scanned 1']
    """
    hot = [text(stream(seed, "scan", "hot", n), HOT_TOKENS) for n in range(HOT_DOCUMENTS)]
    scanned = count()
    for index in range(positive("num_requests", num_requests)):
        rng = stream(seed, "scan", "request", index)
        if between(rng, 0, 1):
            number = pick(rng, POPULARITY)
            yield _ask(rng, hot[number], f"document {number}")
        else:
            yield _ask(rng, text(rng, SCANNED_TOKENS), f"scanned {next(scanned)}")


def phase_shift(num_requests: int, seed: int) -> Iterator[Request]:
    """Questions about twelve hot documents, and every hundred requests about twelve others.

    A model of attention that moves on: the day's news, the release, the course of the week. Inside
    a phase all questions about a document share it; phases share nothing. A cache can at most find
    0.86 of what is sent, with room for one phase (2,300 blocks of 16). A policy that counts
    uses without forgetting protects the documents of the past.

    >>> labels = [request.label for request in phase_shift(102, seed=0)]
    >>> labels[0], labels[100]
    ('phase 0, document 0', 'phase 1, document 0')
    """
    for index in range(positive("num_requests", num_requests)):
        phase, place = divmod(index, PHASE_REQUESTS)
        if place == 0:
            hot = [text(stream(seed, "phase", phase, n), HOT_TOKENS) for n in range(HOT_DOCUMENTS)]
        rng = stream(seed, "phase", "request", index)
        number = pick(rng, POPULARITY)
        yield _ask(rng, hot[number], f"phase {phase}, document {number}")


def _ask(rng: np.random.Generator, document: TokenArray, label: str) -> Request:
    prompt = join(document, text(rng, QUESTION_TOKENS))
    return Request(prompt, text(rng, ANSWER_TOKENS), label=label)
