"""What a learner's part did wrong: which rule, in which call, with which numbers."""

from typing import Literal

from radixlab.cache.rules import rule

PartName = Literal["tree", "policy", "plan"]
MOST_TEXT = 200
"""Characters about what is wrong: a number of the learner's may have hundreds of digits."""


class PartFault(Exception):
    """A call of a part that broke a rule; the message names the rule and the call.

    >>> print(PartFault("tree", "E6", "match_prefix(9 tokens)", "block 3 was evicted"))
    Your tree broke rule E6 in match_prefix(9 tokens): block 3 was evicted.
    E6: An evicted block cannot be matched any more.
    """

    def __init__(self, part: PartName, rule_id: str, call: str, what: str) -> None:
        super().__init__(part, rule_id, call, what)
        self.part = part
        self.rule = rule_id
        self.call = call
        self.what = what if len(what) <= MOST_TEXT else f"{what[: MOST_TEXT - 1]}…"

    @property
    def line(self) -> str:
        """The message without the rule's sentence."""
        return f"Your {self.part} broke rule {self.rule} in {self.call}: {self.what}."

    def __str__(self) -> str:
        return f"{self.line}\n{self.rule}: {rule(self.rule).sentence}"
