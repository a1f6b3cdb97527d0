"""Look-ups in a batch against a loop of single ones.

Requests about a few documents wait, each with a question of its own. A document's path in the tree
has as many nodes as it was read in parts, for a node ends wherever a request ended or left it. The
loop is `peek`, the batch `peek_batch`: both return every prompt's block ids, and that these are
equal is asserted before anything is timed. The two take turns in each round, on the thread's CPU
clock. A document of one node is the case in which a batch saves least: a single look-up compares
all tokens at once there too, and has no way to go.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.cache import CacheConfig, KVCacheManager, RadixTree, Tokens
from radixlab.cache.batch import peek_batch
from radixlab.workloads.request import TokenArray

BLOCK_SIZE = 16
QUESTION_TOKENS = 50


@dataclass(frozen=True, slots=True)
class Case:
    """Who waits, and what the tree is like."""

    num_requests: int
    num_documents: int
    document_tokens: int
    nodes_per_document: int


CASES = (
    Case(256, 8, 2048, 1),
    Case(256, 8, 2048, 2),
    Case(256, 8, 2048, 4),
    Case(256, 8, 2048, 8),
    Case(256, 8, 2048, 16),
    Case(256, 8, 8192, 8),
    Case(32, 8, 2048, 8),
    Case(256, 1, 2048, 8),
    Case(256, 256, 2048, 1),
)
HEADER = (
    "requests",
    "documents",
    "tokens of each",
    "nodes of each",
    "loop, µs a request",
    "batch, µs a request",
    "loop ÷ batch",
)


def measure_lookup(
    command: str, rounds: int | None, quick: bool, progress: Progress
) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds = rounds or (5 if quick else 25)
    with progress(len(CASES), "lookup", "case") as advance:
        rows = [_row(case, rounds, advance) for case in CASES]
    what = (
        f"{QUESTION_TOKENS} own tokens after the document, blocks of {BLOCK_SIZE}; CPU time of one "
        f"thread, median (min - max) of {count(rounds, 'round')} by turns. Every prompt's tokens "
        "are compared in full in both, and both return its block ids. In the last row no two "
        "requests share a document"
    )
    return TableReport("Batched look-ups", command, what, HEADER, rows)


def _row(case: Case, rounds: int, advance: Callable[[], object]) -> list[Cell]:
    tree, prompts = prepare(case)
    found = [block_ids.tolist() for block_ids in peek_batch(tree, prompts)]
    assert found == [tree.peek(prompt).tolist() for prompt in prompts]
    loop_us, batch_us = [], []
    with quiet_gc():
        for _ in range(rounds):
            loop_us.append(_us(lambda: [tree.peek(prompt) for prompt in prompts]))
            batch_us.append(_us(lambda: peek_batch(tree, prompts)))
    advance()
    each = case.num_requests
    return [
        each,
        case.num_documents,
        case.document_tokens,
        case.nodes_per_document,
        spread(us / each for us in loop_us),
        spread(us / each for us in batch_us),
        ratios(loop_us, batch_us),
    ]


def prepare(case: Case) -> tuple[RadixTree, list[Tokens]]:
    """Cache the documents, each read in parts, and make the prompts that wait."""
    random = np.random.default_rng(0)
    blocks = case.num_documents * (case.document_tokens // BLOCK_SIZE + 4)
    manager = KVCacheManager(CacheConfig(2 * blocks + 100, BLOCK_SIZE))
    documents = random.integers(128_000, size=(case.num_documents, case.document_tokens))
    for document in documents.astype(np.int32):
        for part in range(1, case.nodes_per_document + 1):
            end = case.document_tokens * part // case.nodes_per_document
            for _ in range(2):  # two who go on differently: the node ends here
                _serve(manager, np.append(document[:end], _question(random)))
    asked = random.integers(case.num_documents, size=case.num_requests)
    if case.num_documents == case.num_requests:
        asked = random.permutation(case.num_requests)
    prompts = [np.append(documents[which], _question(random)).astype(np.int32) for which in asked]
    return manager.tree, [Tokens(prompt) for prompt in prompts]


def _question(random: np.random.Generator) -> TokenArray:
    return random.integers(128_000, size=QUESTION_TOKENS).astype(np.int32)


def _serve(manager: KVCacheManager, prompt: TokenArray) -> None:
    sequence = manager.allocate(prompt)
    manager.commit(sequence, len(prompt))
    manager.release(sequence)


def _us(action: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    action()
    return (time.thread_time_ns() - start) / 1000
