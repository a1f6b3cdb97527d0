"""How many requests and tokens may be spent, and how many were."""

from dataclasses import dataclass

from radixlab.certify.outcome import CannotTell


@dataclass(slots=True)
class Budget:
    """Counts what the checks cost, and refuses what would cost too much.

    >>> budget = Budget(10)
    >>> budget.reserve(8)
    >>> budget.settle(8, 5)
    >>> budget.num_left
    5
    """

    most_tokens: int
    num_requests: int = 0
    num_tokens: int = 0

    @property
    def num_left(self) -> int:
        """Tokens that may still be spent."""
        return self.most_tokens - self.num_tokens

    def reserve(self, num_tokens: int) -> None:
        """Take the most that a request can cost; raise `CannotTell` if that is too much."""
        if num_tokens > self.num_left:
            raise CannotTell(
                f"the next request may cost {num_tokens:,} tokens, and {self.num_left:,} of "
                f"{self.most_tokens:,} are left: raise --max-tokens-budget"
            )
        self.num_requests += 1
        self.num_tokens += num_tokens

    def settle(self, reserved: int, used: int) -> None:
        """Give back what a request did not use."""
        self.num_tokens += used - reserved
