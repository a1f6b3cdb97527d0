"""From logits to the next token: greedily, or at random within top-k, top-p and min-p.

    logits ─► bias and penalties (adjust.py) ─► what may be drawn (kept.py) ─► one draw per request

This file does not know text, or how the logits were computed. Each request draws from its own
generator, one number per token, so its draws do not depend on the other requests in the batch.
"""

import math
from collections.abc import Iterable
from collections.abc import Sequence as Many

import torch
from torch import Tensor

from radixlab.cache.tokens import TokensLike
from radixlab.model.adjust import Adjustment, adjust
from radixlab.model.errors import LogitsError
from radixlab.model.kept import Kept, keep, pick
from radixlab.model.logprobs import Logprob, logprobs_of
from radixlab.model.params import SamplingParams

__all__ = ["Sampler", "SamplingParams", "choose", "draw_tokens"]


class Sampler:
    """The parameters of one request, and its memory: random numbers, counts, log probabilities.

    `prompt` are the tokens of the request's prompt, which `repetition_penalty` counts; `end_ids`
    are those that would end the answer, which `min_tokens` rules out. Raises `ConfigError` where
    one is needed and missing. Requests may share a sampler only if it has nothing to remember.
    """

    def __init__(
        self,
        params: SamplingParams,
        prompt: TokensLike | None = None,
        end_ids: Iterable[int] | None = None,
    ) -> None:
        self.params = params
        self.num_drawn = 0
        self._last, self._again = 1.0, False
        self.generator = torch.Generator()
        if params.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(params.seed)
        self.logprobs: list[Logprob] = []
        """One for each token of the answer, if the parameters ask for them."""
        self.adjustment = Adjustment(params, prompt, end_ids) if _adjusts(params) else None

    def draw(self) -> float:
        """Return the next random number, uniform in (0, 1]."""
        if self._again:
            self._again = False
            return self._last
        self._last = 1 - float(torch.rand((), generator=self.generator, dtype=torch.float64))
        self.num_drawn += 1
        return self._last

    def rewind(self, num_tokens: int) -> None:
        """After a fault, forget tokens that were lost, and repeat the number drawn for the last."""
        self._again = self.num_drawn == num_tokens + 1
        if self.adjustment:
            self.adjustment.rewind(num_tokens)
        del self.logprobs[num_tokens:]


def choose(logits: Tensor, samplers: Many[Sampler]) -> list[int]:
    """Choose a token for each row of `logits` `[n, vocab]` by its sampler; the lower id wins ties.

    Raises `LogitsError` if a row's largest logit is not finite.
    """
    for row, largest in enumerate(logits.amax(-1).tolist()):
        if not math.isfinite(largest):
            raise LogitsError(f"row {row} of {len(logits)}: the largest logit is {largest}")
    due = [row for row, s in enumerate(samplers) if s.adjustment and s.adjustment.is_due]
    tokens = _choose(logits, samplers) if not due else _choose_adjusted(logits, samplers, due)
    _remember(logits, samplers, tokens)
    return tokens


def _choose_adjusted(logits: Tensor, samplers: Many[Sampler], due: list[int]) -> list[int]:
    """Choose for rows of which some are adjusted first; the others are not copied with them."""
    others = sorted(set(range(len(samplers))) - set(due))
    rules = [rule for row in due if (rule := samplers[row].adjustment)]
    adjusted = adjust(pick(logits, due), rules)
    chosen = dict(zip(due, _choose(adjusted, [samplers[row] for row in due]), strict=True))
    if others:
        theirs = _choose(logits[others], [samplers[row] for row in others])
        chosen |= zip(others, theirs, strict=True)
    return [chosen[row] for row in range(len(samplers))]


def _choose(logits: Tensor, samplers: Many[Sampler]) -> list[int]:
    """Choose by temperature and what may be drawn; nothing is left to adjust."""
    chance = [row for row, sampler in enumerate(samplers) if sampler.params.temperature]
    greedy = [row for row, sampler in enumerate(samplers) if not sampler.params.temperature]
    chosen = dict(zip(greedy, pick(logits, greedy).argmax(-1).tolist(), strict=True))
    draws = [samplers[row].draw() for row in chance]
    for kept in keep(pick(logits, chance), [samplers[row].params for row in chance]):
        tokens = draw_tokens(kept, [draws[i] for i in kept.rows])
        chosen |= zip((chance[i] for i in kept.rows), tokens, strict=True)
    return [chosen[row] for row in range(len(logits))]


def _remember(logits: Tensor, samplers: Many[Sampler], tokens: list[int]) -> None:
    """Count the chosen tokens and note their log probabilities, for those that ask for it."""
    for sampler, token in zip(samplers, tokens, strict=True):
        if sampler.adjustment:
            sampler.adjustment.add(token)
    noted = [row for row, sampler in enumerate(samplers) if sampler.params.logprobs is not None]
    if not noted:
        return
    num_top = [samplers[row].params.logprobs or 0 for row in noted]
    found = logprobs_of(pick(logits, noted), [tokens[row] for row in noted], num_top)
    for row, logprob in zip(noted, found, strict=True):
        samplers[row].logprobs.append(logprob)


def draw_tokens(kept: Kept, draws: Many[float]) -> list[int]:
    """Return each row's first token at which the cumulative weight, by id, reaches its draw.

    A draw is a number in (0, 1], a share of the row's total weight.
    """
    up_to = kept.weights.cumsum(-1, dtype=torch.float64)
    goal = torch.tensor(draws, dtype=up_to.dtype, device=up_to.device)[:, None] * up_to[:, -1:]
    column = torch.searchsorted(up_to, goal)
    tokens: list[list[int]] = (
        column if kept.tokens is None else kept.tokens.gather(-1, column)
    ).tolist()
    return [token for (token,) in tokens]


def _adjusts(params: SamplingParams) -> bool:
    """Whether these parameters ever change logits."""
    return bool(
        params.logit_bias
        or params.repetition_penalty != 1
        or params.presence_penalty
        or params.frequency_penalty
        or params.min_tokens
    )
