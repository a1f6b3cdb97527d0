"""The result of a whole run."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from radixlab.certify.outcome import Result, Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """What all checks found."""

    url: str
    model: str
    seed: str
    server: dict[str, Any]
    """What was learnt of the server before."""
    results: tuple[Result, ...]
    num_requests: int
    num_tokens: int
    """All that was spent, with the survey."""

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many checks have each verdict."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in ("pass", "fail", "cannot tell")}

    @property
    def has_failed(self) -> bool:
        """Whether a check failed."""
        return self.counts["fail"] > 0

    def __getitem__(self, id: str) -> Result:
        """Return the result of a check."""
        return {result.id: result for result in self.results}[id]

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "url": self.url,
            "model": self.model,
            "seed": self.seed,
            "server": self.server,
            "counts": self.counts,
            "requests": self.num_requests,
            "tokens": self.num_tokens,
            "checks": [result.as_json() for result in self.results],
        }
