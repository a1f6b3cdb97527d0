"""What the server counts itself: tokens generated, answers finished, and how long things took.

The engine's thread counts, step by step. Times are seconds by `time.monotonic`.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from radixlab.serve.counting import Histogram

FINISHED_REASONS = ("stop", "length", "abort", "error")
SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0),
)
TOKENS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


def _seconds() -> Histogram:
    return Histogram(SECONDS)


@dataclass(slots=True)
class Timing:
    """Counts since the server started; none ever falls."""

    generation_tokens: int = 0
    finished: Counter[str] = field(default_factory=Counter)
    """Answers by the reason of their end; "abort" if the client left or the time was over."""
    first_token: Histogram = field(default_factory=_seconds)
    """From a request's arrival to a prompt's first token."""
    inter_token: Histogram = field(default_factory=_seconds)
    """Between two tokens of an answer."""
    queue: Histogram = field(default_factory=_seconds)
    """From a request's arrival to the step that admits the prompt."""
    end_to_end: Histogram = field(default_factory=_seconds)
    """From a request's arrival to the end of the last answer to a prompt."""
    prompt_tokens: Histogram = field(default_factory=lambda: Histogram(TOKENS))
    """The length of each prompt that was admitted."""

    def copy(self) -> "Timing":
        """Return counts that do not change when these do."""
        return replace(
            self,
            finished=self.finished.copy(),
            first_token=self.first_token.copy(),
            inter_token=self.inter_token.copy(),
            queue=self.queue.copy(),
            end_to_end=self.end_to_end.copy(),
            prompt_tokens=self.prompt_tokens.copy(),
        )
