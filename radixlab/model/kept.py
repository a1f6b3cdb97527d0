"""Which tokens may be drawn, and how likely each is: temperature, top-k, top-p, min-p.

    logits ─► weights by temperature ─► top-k: all as good as the k-th ─► top-p: the nucleus
           ─► min-p: all with at least this share of the largest weight, which is 1

The rules, ties included, equal the logits warpers of Hugging Face transformers; the nucleus is from
Holtzman et al. (arXiv 1904.09751). Nothing here sorts a whole vocabulary, which would cost more
than the forward pass. A few hundred candidates nearly always contain every token that is kept. For
the other rows, the limit of the nucleus is found by halving the set of tokens repeatedly.

This file knows rows of logits. It does not know requests or random numbers.
"""

import math
from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

NUM_CANDIDATES = 256
"""How many of a row's likeliest tokens are examined first."""
FEW = 512
"""At most this many tokens are sorted."""
CACHE_NUMBERS = 2**18
"""Logits that are processed at a time, so that they stay in the processor's cache."""


class Rule(Protocol):
    """The parameters that shape the probabilities of one row; the temperature is above 0."""

    @property
    def temperature(self) -> float:
        """Logits are divided by it."""

    @property
    def top_k(self) -> int | None:
        """Keep this many of the likeliest tokens; None or -1 for all."""

    @property
    def top_p(self) -> float:
        """Of those, keep the fewest likeliest tokens whose total weight has this share."""

    @property
    def min_p(self) -> float:
        """Of those, keep the tokens that are at least this share as likely as the likeliest."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The tokens that may be drawn for some rows of a batch."""

    rows: list[int]
    tokens: Tensor | None
    """`[n, m]`: token ids, ascending in each row; None if column i is token i."""
    weights: Tensor
    """`[n, m]`, fp32: proportional to the probabilities, 0 for a token that is cut off."""


def keep(logits: Tensor, rules: Many[Rule], num_candidates: int = NUM_CANDIDATES) -> Iterator[Kept]:
    """Cut each row of `logits` `[n, vocab]` by its own rule; every row is in exactly one `Kept`.

    The largest logit of a row must be finite. Which tokens a row keeps depends neither on the other
    rows nor on `num_candidates`.

    >>> from radixlab.model.sampler import SamplingParams
    >>> (kept,) = keep(torch.tensor([[0.0, 2.0, 1.0]]), [SamplingParams(1.0, top_k=2)])
    >>> [round(weight, 2) for weight in kept.weights[0].tolist()]
    [0.0, 1.0, 0.37]
    """
    logits = logits.float()
    left = list(range(len(rules)))
    few = [row for row in left if _cuts(rules[row]) and (_k(rules[row]) or 1) < num_candidates]
    if few and num_candidates < logits.shape[1]:
        kept, is_all = _of_candidates(pick(logits, few), [rules[i] for i in few], num_candidates)
        done = [i for i, whole in enumerate(is_all.tolist()) if whole]
        settled = [few[i] for i in done]
        if settled and kept.tokens is not None:
            yield Kept(settled, pick(kept.tokens, done), pick(kept.weights, done))
        left = sorted(set(left) - set(settled))
    num_rows = max(1, CACHE_NUMBERS // logits.shape[1])
    for start in range(0, len(left), num_rows):
        rows = left[start : start + num_rows]
        yield Kept(rows, None, _of_all(pick(logits, rows), [rules[row] for row in rows]))


def _of_candidates(logits: Tensor, rules: Many[Rule], num: int) -> tuple[Kept, Tensor]:
    """Cut the likeliest `num` tokens of each row; also return which rows keep no other token."""
    best, found = logits.topk(num)
    tokens = found.sort().values
    candidates = logits.gather(-1, tokens)
    weights = _weigh(candidates, best[:, :1], rules)
    weights *= candidates >= _kth(best, rules)
    _, order = candidates.sort(dim=-1, descending=True, stable=True)  # ties: lower id first
    ranked = weights.gather(-1, order)
    up_to = ranked.cumsum(-1, dtype=torch.float64)
    total = up_to[:, -1:].clone()
    if open_ends := [i for i, rule in enumerate(rules) if _k(rule) is None and rule.top_p < 1]:
        whole = _weigh(pick(logits, open_ends), best[open_ends, :1], [rules[i] for i in open_ends])
        total[open_ends] = whole.sum(-1, keepdim=True, dtype=torch.float64)
    ranked.masked_fill_(up_to - ranked >= _column([_share(r) for r in rules], up_to) * total, 0)
    _cut_unlikely(ranked, rules)
    weights.scatter_(-1, order, ranked)
    least = candidates.masked_fill(weights == 0, torch.inf).amin(-1)
    return Kept([], tokens, weights), least > best[:, -1]


def _of_all(logits: Tensor, rules: Many[Rule]) -> Tensor:
    """Return the weights `[n, vocab]` of all tokens, 0 for tokens that are cut off."""
    weights = _weigh(logits, logits.amax(-1, keepdim=True), rules)
    if few := [row for row, rule in enumerate(rules) if _k(rule)]:
        some, theirs = pick(logits, few), [rules[row] for row in few]
        most = min(max(_k(rule) or 1 for rule in theirs), logits.shape[1])
        limit = _kth(some.topk(most).values, theirs)
        weights[few] *= some >= limit
    for row, rule in enumerate(rules):
        if rule.top_p < 1:
            _cut_to_nucleus(weights[row], rule.top_p)
    _cut_unlikely(weights, rules)
    return weights


def _cut_unlikely(weights: Tensor, rules: Many[Rule]) -> None:
    """Set weights `[n, m]` below min-p to 0; the largest weight of each row is 1."""
    if any(rule.min_p for rule in rules):
        weights *= weights >= _column([rule.min_p for rule in rules], weights)


def _cut_to_nucleus(weights: Tensor, top_p: float) -> None:
    """Set `weights` `[vocab]` outside the nucleus to 0; the nucleus has the share `top_p`."""
    least, num_equal = nucleus_limit(weights.cpu().numpy(), top_p)
    equal = (weights == least).nonzero()[:, 0]
    weights.mul_(weights >= least)
    weights[equal[num_equal:]] = 0


def nucleus_limit(weights: npt.NDArray[np.float32], top_p: float) -> tuple[float, int]:
    """Return the least weight that is kept, and how many tokens of exactly this weight are kept.

    This is quickselect by sums of weights instead of counts: split the tokens at a pivot, find the
    side on which the limit lies, and continue with that side. Each round leaves about half.

    >>> nucleus_limit(np.array([1, 4, 2, 1], np.float32), top_p=0.8)
    (1.0, 1)
    """
    enough = top_p * float(weights.sum(dtype=np.float64))
    above = 0.0
    left = weights
    while len(left) > FEW:
        sample = left[:: len(left) // 100]
        pivot = np.sort(sample)[len(sample) // 2]
        larger = np.compress(left > pivot, left)
        mass = above + float(larger.sum(dtype=np.float64))
        if mass >= enough:
            left = larger
            continue
        smaller = np.compress(left < pivot, left)
        num_equal = len(left) - len(larger) - len(smaller)
        if mass + float(pivot) * num_equal >= enough or not len(smaller):
            wanted = math.ceil((enough - mass) / pivot) if pivot else 0
            return float(pivot), min(max(wanted, 1), num_equal)
        above = mass + float(pivot) * num_equal
        left = smaller
    ranked = np.sort(left)[::-1]
    last = min(int((above + ranked.cumsum(dtype=np.float64)).searchsorted(enough)), len(left) - 1)
    return float(ranked[last]), int((ranked[: last + 1] == ranked[last]).sum())


def _weigh(logits: Tensor, largest: Tensor, rules: Many[Rule]) -> Tensor:
    """Return `exp((logits - largest) / temperature)`, `[n, m]`; `largest` is `[n, 1]`."""
    temperature = _column([min(max(rule.temperature, 1e-30), 1e30) for rule in rules], logits)
    return (logits - largest).div_(temperature).exp_()


def _kth(best: Tensor, rules: Many[Rule]) -> Tensor:
    """Return each row's k-th best logit `[n, 1]` of sorted `best` `[n, m]`; -inf without k."""
    index = [min(_k(rule) or 1, best.shape[1]) - 1 for rule in rules]
    limit = best.gather(-1, _column(index, best.long()))
    return limit.masked_fill(
        _column([_k(rule) is None for rule in rules], limit).bool(), -torch.inf
    )


def _share(rule: Rule) -> float:
    return rule.top_p if rule.top_p < 1 else torch.inf


def _k(rule: Rule) -> int | None:
    return None if rule.top_k == -1 else rule.top_k


def _cuts(rule: Rule) -> bool:
    return _k(rule) is not None or rule.top_p < 1 or rule.min_p > 0


def pick(values: Tensor, rows: list[int]) -> Tensor:
    """Return these rows; do not copy if they are all rows."""
    return values if len(rows) == len(values) else values[rows]


def _column(values: Many[float], like: Tensor) -> Tensor:
    """`[n]` numbers → `[n, 1]`, with the dtype and the device of `like`."""
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]
