"""Fact sheets as rows of token ids, with a weight on every token that the model must learn to say.

This file knows tokens and tensors. It does not know how sheets are made or what learns from them.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from radixlab.model.llama import Llama
from radixlab.model.tiny.facts import Fact, FactSheet, vocabulary, words

EOS, UNKNOWN = "<eos>", "<unk>"
IDS = {word: token_id for token_id, word in enumerate([EOS, UNKNOWN, *vocabulary()])}
ANSWER_WEIGHTS = (0.5, 0.5, 0.5, 0.5, 1.0, 0.5, 0.5)
"""For two names, two words, the value, the full stop and the end token. The value weighs most:
only it must be looked up."""
SAID_WEIGHTS = (0.0, 0.0, *ANSWER_WEIGHTS[2:])
"""Without a question the names cannot be known, so they have no weight."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text; tokens of weight 0 are given, and the model must say the others."""

    token_ids: list[int]
    weights: list[float]


def encode(text: str) -> list[int]:
    """Return the token ids of a text in the language."""
    return [IDS[word] for word in words(text)]


def make_row(sheet: FactSheet, asked: Many[Fact], said: Many[Fact] = ()) -> Row:
    """Append to a sheet the facts in `said`, then a question and an answer for each `asked`."""
    token_ids = encode(sheet.text)
    weights = [0.0] * len(token_ids)
    for fact in said:
        token_ids += [*encode(fact.sentence), IDS[EOS]]
        weights += SAID_WEIGHTS
    for fact in asked:
        question = encode(f"Q: {fact.question} A:")
        token_ids += [*question, *encode(fact.sentence), IDS[EOS]]
        weights += [*[0.0] * len(question), *ANSWER_WEIGHTS]
    return Row(token_ids, weights)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Causal attention within each of `num_rows` equally long rows."""

    num_rows: int

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """`q` `[T, heads, head_dim]`, `k`, `v` `[T, kv_heads, head_dim]` → as `q`."""
        q4, k4, v4 = (
            x.view(self.num_rows, -1, x.shape[1], x.shape[2]).transpose(1, 2) for x in (q, k, v)
        )  # [num_rows, heads, length, head_dim]
        attended: Tensor = functional.scaled_dot_product_attention(
            q4, k4, v4, is_causal=True, enable_gqa=True
        )
        return attended.transpose(1, 2).reshape(q.shape)


@dataclass(frozen=True, slots=True)
class Told:
    """The model's output for the N tokens that it should say, over all rows in order."""

    logits: Tensor
    """`[N, vocab_size]`."""
    wanted: Tensor
    """`[N]`: the right token ids."""
    weights: Tensor
    """`[N]`."""

    @property
    def right(self) -> Tensor:
        """Whether the likeliest token is the right one: bool `[N]`."""
        return self.logits.argmax(-1) == self.wanted


def tell(model: Llama, rows: Many[Row]) -> Told:
    """Run a model over rows, padded at the end; causal attention does not see the padding."""
    length = max(len(row.token_ids) for row in rows)
    pads = [length - len(row.token_ids) for row in rows]
    padded = [row.token_ids + [0] * pad for row, pad in zip(rows, pads, strict=True)]
    weighed = [row.weights + [0.0] * pad for row, pad in zip(rows, pads, strict=True)]
    token_ids, weights = torch.tensor(padded).flatten(), torch.tensor(weighed).flatten()
    hidden = model(token_ids, torch.arange(length).repeat(len(rows)), Rectangle(len(rows)))
    said = weights.nonzero()[:, 0]
    return Told(model.logits(hidden[said - 1]), token_ids[said], weights[said])
