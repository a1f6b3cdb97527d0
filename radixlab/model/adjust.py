"""What changes a request's logits before a token is chosen: bias, penalties, tokens ruled out.

    logits ─► + bias ─► repetition ─► − presence − frequency ─► ends ruled out ─► logits

Each rule touches few tokens of the vocabulary: those that the caller named, or those that occurred.
So only these are read and written, for all rows of a batch at once. The arithmetic and the order
equal the logits processors of Hugging Face transformers. transformers has no presence and frequency
penalties: OpenAI defines them, and as in vLLM they follow the repetition penalty.

This file knows rows of logits and counts of tokens. It does not know requests or random numbers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Many
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from radixlab.cache.tokens import TokensLike, as_int32
from radixlab.config import ConfigError
from radixlab.model.params import SamplingParams

Ids = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float32]


class Adjustment:
    """The rules of one request that change its logits, and the tokens that they count.

    `prompt` are the tokens of the prompt, and `end_ids` those that would end the answer. Raises
    `ConfigError` if a rule needs one of the two and it is missing.
    """

    def __init__(
        self, params: SamplingParams, prompt: TokensLike | None, end_ids: Iterable[int] | None
    ) -> None:
        self.params = params
        bias = dict(params.logit_bias)
        self.bias_ids = np.array(list(bias), np.int64)
        self.bias = np.array(list(bias.values()), np.float32)
        self.prompt_ids = np.zeros(0, np.int64)
        if params.repetition_penalty != 1:
            self.prompt_ids = np.unique(as_int32(_given("repetition_penalty", prompt, "prompt")))
        self.end_ids = np.zeros(0, np.int64)
        if params.min_tokens:
            ends = sorted(_given("min_tokens", end_ids, "end_ids"))
            self.end_ids = np.array(ends, np.int64)
        self.tokens: list[int] = []
        """The answer so far."""
        self._counts: Counter[int] | None = None
        self._counted = bool(params.presence_penalty or params.frequency_penalty)

    @property
    def is_due(self) -> bool:
        """Whether the next token's logits are changed."""
        return bool(
            len(self.bias_ids) or self._counted or self.params.repetition_penalty != 1
            or (len(self.end_ids) and self.holds_ends)
        )  # fmt: skip

    @property
    def holds_ends(self) -> bool:
        """Whether the answer is too short to end."""
        return len(self.tokens) < self.params.min_tokens

    def add(self, token: int) -> None:
        """Count a token of the answer."""
        self.tokens.append(token)
        if self._counts is not None:
            self._counts[token] += 1

    def rewind(self, num_tokens: int) -> None:
        """Forget all but the first tokens of the answer; may be repeated if it fails half-way."""
        self._counts = None  # first: it is counted again when it is needed
        del self.tokens[num_tokens:]

    def counts(self) -> tuple[Ids, Numbers]:
        """Return the distinct tokens of the answer, and how often each occurs."""
        if self._counts is None:
            self._counts = Counter(self.tokens)
        num = len(self._counts)
        ids = np.fromiter(self._counts.keys(), np.int64, num)
        return ids, np.fromiter(self._counts.values(), np.float32, num)

    def biased(self) -> tuple[Ids, Numbers]:
        """Return the tokens that have a bias, and the bias of each."""
        return self.bias_ids, self.bias

    def repeated(self) -> tuple[Ids, Numbers]:
        """Return the tokens of prompt and answer, perhaps some twice, and the penalty of each."""
        penalty = self.params.repetition_penalty
        ids = self.prompt_ids
        if penalty != 1:
            ids = np.concatenate((ids, self.counts()[0]))
        return ids, np.full(len(ids), penalty, np.float32)

    def penalties(self) -> tuple[Ids, Numbers]:
        """Return the tokens of the answer, and what is subtracted from the logit of each."""
        if not self._counted:
            return self.end_ids[:0], self.bias[:0]
        ids, counts = self.counts()
        return ids, self.params.presence_penalty + counts * np.float32(
            self.params.frequency_penalty
        )

    def ruled_out(self) -> tuple[Ids, Numbers]:
        """Return the tokens that cannot be chosen now."""
        ids = self.end_ids if self.holds_ends else self.end_ids[:0]
        return ids, np.full(len(ids), -np.inf, np.float32)


def adjust(logits: Tensor, rules: Many[Adjustment]) -> Tensor:
    """Return the logits `[n, vocab]`, changed row by row by its own rules, as a new fp32 tensor.

    Where the ends are ruled out and nothing else can be chosen, they stay.

    >>> rule = Adjustment(SamplingParams(repetition_penalty=2.0, logit_bias={2: 5}), [0, 1], ())
    >>> adjust(torch.tensor([[3.0, -3.0, 1.0, 1.0]]), [rule])
    tensor([[ 1.5000, -6.0000,  6.0000,  1.0000]])
    """
    logits = logits.to(torch.float32, copy=True)
    for where, bias in _entries(logits, [rule.biased() for rule in rules]):
        logits[where] += bias
    for where, penalty in _entries(logits, [rule.repeated() for rule in rules]):
        found = logits[where]  # a token may come twice: both times the same is written
        changed = torch.where(found < 0, found * penalty, found / penalty)
        logits[where] = changed.clamp_(max=torch.finfo(torch.float32).max)
    for where, penalty in _entries(logits, [rule.penalties() for rule in rules]):
        logits[where] -= penalty
    for where, nothing in _entries(logits, [rule.ruled_out() for rule in rules]):
        before = logits[where]
        logits[where] = nothing
        is_empty = (logits.amax(-1) == -torch.inf)[where[0]]
        logits[where] = torch.where(is_empty, before, nothing)
    return logits


def _entries(
    like: Tensor, rows: list[tuple[Ids, Numbers]]
) -> Iterator[tuple[tuple[Tensor, Tensor], Tensor]]:
    """Yield what all rows touch, as one index and one tensor of numbers; nothing if none does."""
    sizes = [len(ids) for ids, _ in rows]
    if not any(sizes):
        return
    row = np.repeat(np.arange(len(rows)), sizes)
    token = np.concatenate([ids for ids, _ in rows])
    values = np.concatenate([numbers for _, numbers in rows]).astype(np.float32)
    at = [torch.from_numpy(index).to(like.device) for index in (row, token)]
    yield (at[0], at[1]), torch.from_numpy(values).to(like.device)


def _given(name: str, value: Any, what: str) -> Any:
    if value is None:
        raise ConfigError(f"{name} needs the request's {what}: pass it to Sampler")
    return value
