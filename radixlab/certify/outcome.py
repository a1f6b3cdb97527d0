"""What a check found: a verdict, and every number that it rests on.

    requests ─► `Seen` (what came, what should have come) ─► verdict

Other users' traffic can lower a count, because it evicts, and it can change the last digits of a
computed number. So each wrong number says how much it proves. This file does not know servers.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["pass", "fail", "cannot tell"]
Proof = Literal["certain", "repeated", "single"]
"""How much a wrong number proves. `certain`: nobody else's traffic can explain it. `repeated`: it
came several times. `single`: it came once."""


class CertifyError(RuntimeError):
    """The server cannot be examined at all; the message is one line."""


class CannotTell(Exception):
    """A check has no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request or look, and what came of it."""

    request: str
    saw: str
    expected: str
    is_right: bool
    proof: Proof


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of one check."""

    id: str
    title: str
    rule: str
    verdict: Verdict
    reason: str
    """One sentence: why the verdict is so."""
    evidence: Sequence[Seen]
    num_requests: int
    num_tokens: int
    """Prompt and answer tokens that it cost."""
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


def judge(evidence: Sequence[Seen], is_disturbed: bool | None, said: str) -> tuple[Verdict, str]:
    """Return the verdict and its reason.

    `is_disturbed` says whether other requests ran meanwhile; None if nobody can know. `said` is
    what the check says when everything is right.

    >>> wrong = Seen("a prompt again", "0", "32", False, "single")
    >>> judge([wrong], True, "")[0], judge([wrong], False, "")[0]
    ('cannot tell', 'fail')
    """
    wrong = [each for each in evidence if not each.is_right]
    if not wrong:
        return "pass", said
    first = min(wrong, key=lambda each: each.proof != "certain")
    what = f"{first.request}: {first.saw}, and it should be {first.expected}"
    if first.proof == "certain":
        return "fail", what
    if is_disturbed:
        return "cannot tell", f"other requests ran meanwhile. {what}"
    if is_disturbed is None and all(each.proof == "single" for each in wrong):
        return "cannot tell", f"other requests may have run meanwhile. {what}"
    return "fail", what
