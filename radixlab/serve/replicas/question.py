"""What travels to a replica: one prompt with its parameters, and what the router decided about it.

The router runs in the process that asks, so what it writes into `choice`, `chosen`
and `chosen_at` is read there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from radixlab.cache.tokens import TokenArray
from radixlab.events import Namespace
from radixlab.model.params import SamplingParams

Why = Literal["rule", "failed", "slow", "resting", "stale", "hung"]
WHYS: tuple[Why, ...] = ("rule", "failed", "slow", "resting", "stale", "hung")
"""How a request was routed: as the rule said, or by power of two because the rule raised, took too
long, was not asked after too many slow answers, or named a replica that is gone or that has left
prompts waiting."""


class Ending:
    """Who wants to know when nobody waits for an answer any more. Replicas get an empty one.

    Ray does not tell a router of every request that is over: nothing comes if a client leaves
    between the choice of its replica and the sending.
    """

    def __init__(self) -> None:
        self._is_over = False
        self._functions: list[Callable[[], object]] = []

    def then(self, function: Callable[[], object]) -> None:
        """Call a function at the end, once or twice; at once if this was the end already."""
        self._functions.append(function)
        if self._is_over:  # in another thread, perhaps just now
            function()

    def tell(self) -> None:
        """Call all functions."""
        self._is_over = True
        for function in [*self._functions]:
            function()

    def __reduce__(self) -> tuple[Any, ...]:
        return Ending, ()


@dataclass(slots=True)
class Question:
    """One prompt with its `n` answers."""

    tokens: TokenArray
    params: SamplingParams
    n: int = 1
    namespace: Namespace | None = None
    first_index: int = 0
    """The index of its first answer among all answers of the HTTP request."""
    waited_s: float = 0.0
    """Seconds since the request came."""
    session: str | None = None
    num_resets: int = 0
    """How often all caches were emptied before; a router forgets what it knew until then."""
    prompt: str | None = None
    """The prompt as text: Ray's affinity router reads it, and nothing of ours does."""
    avoid: frozenset[str] = frozenset()
    """Replicas that have left this prompt waiting."""
    choice: Why | None = None
    """Written by our router; None where Ray's own routers choose."""
    chosen: str | None = None
    """Written by our router: the replica that should take the prompt soon, if there is one."""
    chosen_at: float = 0.0
    """When it was chosen, by the monotonic clock."""
    ending: Ending = field(default_factory=Ending)

    def waits_s(self) -> float:
        """Return for how long the chosen replica has left it waiting; 0 if none is chosen."""
        return time.monotonic() - self.chosen_at if self.chosen else 0.0
