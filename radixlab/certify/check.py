"""What a check is: a rule with an id that never changes, and a function that tries it."""

from collections.abc import Callable
from dataclasses import dataclass

from radixlab.certify.server import Server
from radixlab.certify.trial import Trial


@dataclass(frozen=True, slots=True)
class Cost:
    """The most that something spends."""

    num_requests: int
    num_tokens: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.num_requests + other.num_requests, self.num_tokens + other.num_tokens)


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    id: str
    title: str
    rule: str
    """What must hold, in a sentence."""
    run: Callable[[Trial], str]
    """Tries the rule; returns what to say when all is right. Raises `CannotTell`."""
    cost: Callable[[Server], Cost]


def unit_of(server: Server) -> int:
    """Return the tokens that prompts are built of."""
    return server.grid.unit if server.grid else 16


def base_of(server: Server) -> int:
    """Return the tokens that every prompt has before anything is cached."""
    return server.grid.base if server.grid else 0


def factor(server: Server) -> float:
    """Return by how much a prompt may be longer than asked for: texts are not exact."""
    return 1.0 if server.form == "ids" else 1.5


def priced(server: Server, num_requests: int, num_tokens: float, measured: int = 0) -> Cost:
    """Return the cost of requests; to measure some of them takes a request of its own each."""
    if server.form == "ids" or server.has_tokenizer:
        measured = 0
    share = num_tokens / num_requests if num_requests else 0
    tokens = factor(server) * (num_tokens + measured * share)
    more = 0 if server.form == "ids" else 40 * (num_requests + measured)
    return Cost(num_requests + measured, round(tokens) + more)
