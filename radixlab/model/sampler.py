"""From scores to the next token: greedily, or by chance within top-k and top-p.

    logits ─► by temperature ─► sorted ─► top-k ─► top-p ─► one draw per request

Knows nothing of text or of how the scores came about. Each request draws from a generator of its
own, one number a token: what is drawn for it does not depend on who else is in the batch.
"""

import math
from collections.abc import Sequence as Many
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor

from radixlab.config import ConfigError, positive
from radixlab.model.errors import LogitsError


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How a request's tokens are chosen, and when it ends."""

    temperature: float = 0.0
    """Logits are divided by it; 0 for greedy: always the likeliest token."""
    top_k: int | None = None
    """Only so many of the likeliest tokens can be drawn; None for all."""
    top_p: float = 1.0
    """Of those only the likeliest, as few as reach this probability together."""
    seed: int | None = None
    """Of the request's own generator; None for one that nobody can foresee."""
    max_tokens: int = 16
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these strings."""
    ignore_eos: bool = False
    """Go on after the model's own end of text, as benchmarks do."""

    def __post_init__(self) -> None:
        positive("max_tokens", self.max_tokens)
        if self.top_k is not None:
            positive("top_k", self.top_k)
        if not _is_number(self.temperature) or self.temperature < 0:
            raise ConfigError(f"temperature must be 0 or more, not {self.temperature!r}")
        if not _is_number(self.top_p) or not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p must be above 0 and at most 1, not {self.top_p!r}")
        if self.seed is not None and not (_is_int(self.seed) and 0 <= self.seed < 2**64):
            raise ConfigError(f"seed must be an integer from 0 to 2**64 - 1, not {self.seed!r}")
        if not isinstance(self.stop, tuple) or not all(s and type(s) is str for s in self.stop):
            raise ConfigError(f"stop must be a tuple of strings, none empty, not {self.stop!r}")


class Sampler:
    """The parameters of one request, and where its dice stand."""

    def __init__(self, params: SamplingParams) -> None:
        self.params = params
        self.num_drawn = 0
        self._last, self._again = 1.0, False
        self.generator = torch.Generator()
        if params.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(int(params.seed))  # torch takes no NumPy int

    def draw(self) -> float:
        """Give the next number of (0, 1], each as likely."""
        if self._again:
            self._again = False
            return self._last
        self._last = 1 - float(torch.rand((), generator=self.generator, dtype=torch.float64))
        self.num_drawn += 1
        return self._last

    def rewind(self, num_tokens: int) -> None:
        """After a fault: if one token more than these was drawn for, give its number again."""
        self._again = self.num_drawn == num_tokens + 1


def choose(logits: Tensor, samplers: Many[Sampler]) -> list[int]:
    """Choose a token for each row of `logits` `[n, vocab]` by its own sampler; ties: the lower id.

    Raises `LogitsError` if a row's largest score is no finite number.
    """
    largest, likeliest = logits.max(-1)
    for row, score in enumerate(largest.tolist()):
        if not math.isfinite(score):
            raise LogitsError(f"row {row} of {len(logits)}: the largest logit is {score}")
    chosen: list[int] = likeliest.tolist()
    chance = [row for row, sampler in enumerate(samplers) if sampler.params.temperature]
    if chance:
        tokens, probabilities = distribution(logits[chance], [samplers[i].params for i in chance])
        up_to = probabilities.cumsum(-1, dtype=torch.float64)
        draws = _column([samplers[row].draw() for row in chance], up_to)
        rank = (up_to < draws * up_to[:, -1:]).sum(-1, keepdim=True)
        for row, token in zip(chance, tokens.gather(-1, rank)[:, 0].tolist(), strict=True):
            chosen[row] = token
    return chosen


def distribution(logits: Tensor, params: Many[SamplingParams]) -> tuple[Tensor, Tensor]:
    """Give each row's token ids, the likeliest first, and their probabilities; 0 if cut off.

    `[n, vocab]` → two of `[n, vocab]`, int64 and fp32. For rows whose temperature is not 0.

    >>> tokens, chances = distribution(torch.tensor([[0.0, 2.0, 1.0]]), [SamplingParams(1, 2)])
    >>> tokens.tolist(), [round(p, 2) for p in chances[0].tolist()]
    ([[1, 2, 0]], [0.73, 0.27, 0.0])
    """
    scores, tokens = logits.float().sort(dim=-1, descending=True, stable=True)
    vocab_size = scores.shape[-1]
    temperature = _column([min(max(p.temperature, 1e-30), 1e30) for p in params], scores)
    scores = (scores - scores[:, :1]) / temperature
    top_k = _column([p.top_k or vocab_size for p in params], tokens)
    beyond = torch.arange(vocab_size, device=logits.device) >= top_k
    probabilities = scores.masked_fill(beyond, -math.inf).softmax(-1)
    up_to = probabilities.cumsum(-1, dtype=torch.float64)
    enough = _column([p.top_p for p in params], up_to) * up_to[:, -1:]
    probabilities = probabilities.masked_fill(up_to - probabilities >= enough, 0)
    return tokens, probabilities / probabilities.sum(-1, keepdim=True)


def _column(values: Many[float], like: Tensor) -> Tensor:
    """`[n]` numbers → `[n, 1]`, of the dtype and on the device of `like`."""
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]


def _is_int(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return (_is_int(value) or isinstance(value, float)) and math.isfinite(value)  # type: ignore[arg-type]
