"""Whether two answers at temperature 0 are the same, and whether a difference is only a tie.

A cached prompt and a fresh one are computed in different pieces, so the last digits of the logits
may differ. Of two tokens that are almost equally likely, either may then be chosen: that is a tie,
and not an error. Log probabilities tell a tie from an error. Without them, only many differences
count as an error.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from radixlab.certify.answer import Answer, Choice

TIE_NATS = 0.2
"""Of two tokens whose log probabilities differ by less, either may be chosen."""
MOST_NATS = 0.5
"""The log probability of the same token may differ by at most this."""

Kind = Literal["same", "tie", "unknown", "different"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two answers compare; `unknown` is a difference without log probabilities."""

    kind: Kind
    words: str

    @property
    def is_right(self) -> bool:
        """Whether they say the same, or differ by a tie only."""
        return self.kind in ("same", "tie")


def compare(one: Answer, other: Answer) -> Comparison:
    """Compare the first choices of two answers."""
    a, b = one.choices[0], other.choices[0]
    if (a.text, a.finish_reason) == (b.text, b.finish_reason):
        return _of_logprobs(a, b)
    words = f"{_short(a)} and {_short(b)}"
    margin = _margin_at_difference(a, b)
    if margin is None:
        return Comparison("unknown" if not (a.tokens and b.tokens) else "different", words)
    if margin < TIE_NATS:
        return Comparison("tie", f"{words}; a tie: {margin:.3f} nats between the two tokens")
    return Comparison("different", f"{words}; {margin:.2f} nats between the two tokens")


def are_equal(answers: list[Answer]) -> bool:
    """Whether neighbours in a list say the same, or differ by a tie."""
    return all(compare(one, other).is_right for one, other in pairwise(answers))


def _of_logprobs(a: Choice, b: Choice) -> Comparison:
    pairs = zip(a.tokens, b.tokens, strict=False)
    gap = max((abs(one.logprob - other.logprob) for one, other in pairs), default=0.0)
    if not a.tokens or not b.tokens:
        return Comparison("same", "the same text")
    words = f"the same text; log probabilities differ by at most {gap:.1e}"
    return Comparison("same" if gap <= MOST_NATS else "different", words)


def _margin_at_difference(a: Choice, b: Choice) -> float | None:
    """Return how clearly the first differing token won; None if that is not known."""
    for one, other in zip(a.tokens, b.tokens, strict=False):
        if one.text != other.text:
            margins = [each.margin for each in (one, other) if each.margin is not None]
            return max(margins) if margins else None
    return None


def _short(choice: Choice) -> str:
    text = choice.text if len(choice.text) <= 30 else choice.text[:29] + "…"
    return f"{text!r} ({choice.finish_reason})"
