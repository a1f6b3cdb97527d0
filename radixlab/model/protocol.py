"""The runner's side of the engine: what computes a batch. This file knows no tensors."""

from collections.abc import Sequence as Many
from typing import Any, Protocol

from radixlab.cache.results import Transfer
from radixlab.cache.work import Work


class Runner(Protocol):
    """Computes batches: a model with its pool of KV, or a stand-in that counts and checks."""

    vocab_size: int
    max_context_len: int | None
    """Most tokens of prompt and answer together; None for no limit."""

    def transfer(self, transfers: Many[Transfer]) -> None:
        """Copy whole blocks, in order, before anything is written."""

    def takes(self, sampler: Any) -> bool:
        """Whether this is a sampler that `choose` can use."""

    def rewind(self, sampler: Any, num_tokens: int) -> None:
        """After a fault, let the sampler continue as if it had chosen `num_tokens` tokens."""

    def broken_blocks(self, block_ids: Many[int]) -> list[int]:
        """Return those of these device blocks that hold non-finite KV."""

    def forward(self, work: Many[Work]) -> Any:
        """Compute these tokens, store their KV; return the logits after each piece, `[n, ...]`."""

    def broken(self, logits: Any) -> list[int]:
        """List the rows of the logits that are not finite: no token can be chosen from them."""

    def choose(self, logits: Any, samplers: Many[Any]) -> list[int]:
        """Choose a token for each row of the logits by its request's sampler."""
