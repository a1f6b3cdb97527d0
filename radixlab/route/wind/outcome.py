"""What one rule did with one traffic."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts and times of a run. Rejected requests are counted in `num_rejected` only."""

    rule: str
    num_requests: int
    """Requests that were answered."""
    num_rejected: int
    """Requests that an empty replica could not hold."""
    prompt_tokens: int
    hit_tokens: int
    """Prompt tokens that were found in the cache of the chosen replica."""
    requests_by_replica: npt.NDArray[np.int64]
    wait_s: npt.NDArray[np.float32]
    """Seconds from a request's arrival until its prompt was begun, by request."""
    first_token_s: npt.NDArray[np.float32]
    """Seconds from a request's arrival until its prompt was computed, by request."""
    end_s: float
    """When the last answer was complete, in simulated seconds."""
    choice_us: float
    """Median time that a choice took, in microseconds of this machine; not simulated."""
    cpu_s: float = 0.0
    """CPU seconds of the run, on this machine."""
    process: int = 0
    """The process that ran it."""
    peak_gb: float = 0.0
    """The most memory that this process had until then; 0 where that is not known."""

    @property
    def hit_rate(self) -> float:
        """Hit tokens ÷ prompt tokens; 0 if there were none."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def worst_share(self) -> float:
        """The busiest replica's requests ÷ the mean; 1 is perfectly even."""
        counts = self.requests_by_replica
        return float(counts.max() / counts.mean()) if self.num_requests else 1.0

    def wait(self, share: float) -> float:
        """Return the wait in seconds that this share of the requests did not exceed."""
        return float(np.quantile(self.wait_s, share)) if len(self.wait_s) else 0.0

    def first_token(self, share: float) -> float:
        """Return the time to the first token that this share of the requests did not exceed."""
        return float(np.quantile(self.first_token_s, share)) if len(self.first_token_s) else 0.0
