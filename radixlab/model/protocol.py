"""What an engine needs of whatever computes its batches. No tensor is named here."""

from collections.abc import Sequence as Many
from typing import Any, Protocol

from radixlab.cache.results import Transfer
from radixlab.model.work import Work


class Runner(Protocol):
    """What computes: a model over its pool of KV, or a stand-in that counts and checks."""

    vocab_size: int
    max_context_len: int | None
    """Most tokens of prompt and answer that it has positions for; None for no limit."""

    def transfer(self, transfers: list[Transfer]) -> None:
        """Copy whole blocks, in order, before anything is written."""

    def takes(self, sampler: Any) -> bool:
        """Whether this is a sampler that `choose` can use."""

    def rewind(self, sampler: Any, num_tokens: int) -> None:
        """After a fault: the next token that this sampler chooses follows `num_tokens` others."""

    def broken_blocks(self, block_ids: Many[int]) -> list[int]:
        """List those of these device blocks that hold KV that is not finite."""

    def forward(self, work: Many[Work]) -> Any:
        """Compute these tokens, store their KV, score what follows each piece: `[n, ...]`."""

    def broken(self, scores: Any) -> list[int]:
        """List the rows of the scores by which no token can be chosen."""

    def choose(self, scores: Any, samplers: Many[Any]) -> list[int]:
        """Choose a token for each row of the scores by its request's sampler."""
