"""One run of one check: it asks, and writes down what it saw."""

from dataclasses import dataclass, field

from radixlab.certify.answer import Answer
from radixlab.certify.grid import Span
from radixlab.certify.outcome import Proof, Seen
from radixlab.certify.prompts import Prompt, Prompts
from radixlab.certify.server import Server

MOST_TRIES = 3
"""How often a count that is too low is tried again with a fresh prompt."""


@dataclass(slots=True)
class Trial:
    """What a check works with."""

    server: Server
    prompts: Prompts
    seen: list[Seen] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    """By how many tokens each count was too low."""

    def fresh(self, num_tokens: int) -> Prompt:
        """Return a prompt of about this many tokens that nobody has sent."""
        return self.prompts.fresh(self.server.num_units(num_tokens))

    def fork(self, prompt: Prompt, num_kept: int, num_tokens: int) -> Prompt:
        """Return a prompt that shares about `num_kept` tokens and then differs."""
        server = self.server
        kept = server.num_units(num_kept)
        return self.prompts.fork(prompt, kept, max(kept + 1, server.num_units(num_tokens)))

    def note(
        self, request: str, saw: object, expected: object, is_right: bool, proof: Proof = "single"
    ) -> bool:
        """Write down what came, and whether it is right."""
        self.seen.append(Seen(request, str(saw), str(expected), is_right, proof))
        return is_right

    def same(self, request: str, saw: object, expected: object, proof: Proof = "single") -> bool:
        """Write down two things that must be equal."""
        return self.note(request, saw, expected, saw == expected, proof)

    def cached(
        self, request: str, answer: Answer, shared: Span, length: Span, in_steps: bool = False
    ) -> bool:
        """Write down the cached tokens of an answer, which must be those that are possible.

        Too many are certainly wrong. Too few may be the work of others. With `in_steps` the part
        after the last whole step does not count: `cached.blocks` looks at that.
        """
        server = self.server
        grid, got = server.need_grid(), server.cached(answer)
        allowed = grid.possible(shared, length)
        counted = grid.whole(got) if in_steps and got < length[1] else got
        proof: Proof = "certain" if counted > max(allowed) else "single"
        if counted < min(allowed):
            self.missing.append(min(allowed) - counted)
        return self.note(
            request, told_cached(got), told_allowed(allowed), counted in allowed, proof
        )

    def nothing(self, request: str, answer: Answer) -> bool:
        """Write down the cached tokens of an answer whose prompt nobody can have cached."""
        server = self.server
        got, most = server.cached(answer), server.need_grid().whole(server.head)
        expected = f"at most {most}, which all prompts may share" if most else "0"
        return self.note(request, told_cached(got), expected, got <= most, "certain")


def told_cached(number: int) -> str:
    """Say how many tokens were cached."""
    return f"{number:,} cached tokens"


def told_allowed(allowed: set[int]) -> str:
    """Say which numbers are right."""
    least, most = min(allowed), max(allowed)
    return f"{least:,}" if least == most else f"one of {', '.join(map(str, sorted(allowed)))}"
