"""Proof that the answer comes from the cache: if one block is spoilt, the answer changes.

This file knows the runner and the manager, as an engine does. Of the model it knows the answers.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from random import Random

import torch

from radixlab.cache.manager import KVCacheManager
from radixlab.cache.work import Work
from radixlab.config import CacheConfig
from radixlab.model.llama import Llama
from radixlab.model.runner import Runner
from radixlab.model.tiny.examples import EOS, IDS, encode
from radixlab.model.tiny.facts import Fact, FactSheet, draw_sheet, words

BLOCK_SIZE = 16


class Reading:
    """A document whose KV is in the cache, and questions about it."""

    def __init__(self, model: Llama, document: Many[int]) -> None:
        config = CacheConfig(num_blocks=len(document) // BLOCK_SIZE + 4, block_size=BLOCK_SIZE)
        self.document = list(document)
        self.manager = KVCacheManager(config)
        self.runner = Runner(model, config)
        sequence = self.manager.allocate(self.document)
        self.runner.forward([Work(sequence, 0, len(self.document))])
        self.manager.commit(sequence, len(self.document))
        self.blocks = sequence.block_table[: len(self.document) // BLOCK_SIZE].tolist()
        """The document's full blocks, which later prompts hit."""
        self.manager.release(sequence)

    def answer(self, question: Many[int], max_tokens: int = 8) -> list[int]:
        """Answer greedily, up to the end of the text; only the question is computed."""
        sequence = self.manager.allocate([*self.document, *question])
        start = sequence.hit_tokens
        said = list[int]()
        while len(said) < max_tokens and IDS[EOS] not in said:
            logits = self.runner.forward([Work(sequence, start, sequence.num_tokens)])
            start = sequence.num_tokens
            said.append(int(logits[0].argmax()))
            self.manager.append(sequence, said[-1:])
        self.manager.release(sequence)  # without a commit, so the next question starts the same way
        return said

    def spoil(self, block: int, seed: int = 0) -> None:
        """Overwrite block number `block` of the document with noise of the same spread."""
        dice = torch.Generator().manual_seed(seed)
        for pool in self.runner.store.layers:
            for part in (pool.k, pool.v):
                kv = part[self.blocks[block]]  # [block_size, kv_heads, head_dim]
                kv.copy_(torch.randn(kv.shape, generator=dice) * kv.std())


def value_block(sheet: FactSheet, fact: Fact) -> int:
    """Return the index of the block that holds the value of a fact."""
    before = sheet.text[: sheet.text.index(fact.sentence)]
    return (len(words(before)) + len(words(fact.sentence)) - 2) // BLOCK_SIZE


@dataclass(slots=True)
class Tally:
    """Counts of answers; the last two count only questions answered right before."""

    num_asked: int = 0
    num_right: int = 0
    wrong_without_value: int = 0
    """Wrong answers when the block with the value is spoilt."""
    right_without_other: int = 0
    """Right answers when a block without any word of the fact is spoilt."""


def tally(
    model: Llama, num_questions: int, num_facts: int, num_tokens: int, seed: int = 0
) -> Tally:
    """Ask one question about each of many sheets: intact, and with one of two blocks spoilt.

    `num_tokens` is a multiple of the block size, so that the whole document is cached.
    """
    rng = Random(seed)
    result = Tally()
    for _ in range(num_questions):
        sheet = draw_sheet(rng, num_facts, num_tokens, unseen=True)
        fact = rng.choice(sheet.facts)
        last = value_block(sheet, fact)
        others = [b for b in range(num_tokens // BLOCK_SIZE) if not last - 1 <= b <= last]
        result.num_asked += 1
        if is_right(model, sheet, fact, None):
            result.num_right += 1
            result.wrong_without_value += not is_right(model, sheet, fact, last)
            result.right_without_other += is_right(model, sheet, fact, rng.choice(others))
    return result


def is_right(model: Llama, sheet: FactSheet, fact: Fact, spoilt: int | None) -> bool:
    """Ask for a fact with block `spoilt` spoilt; return whether the whole sentence is right."""
    reading = Reading(model, encode(sheet.text))
    if spoilt is not None:
        reading.spoil(spoilt)
    said = reading.answer(encode(f"Q: {fact.question} A:"))
    return said == [*encode(fact.sentence), IDS[EOS]]
