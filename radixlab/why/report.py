"""What `radixlab why` found: plain results, which tables, JSON and pages are made of."""

from dataclasses import dataclass

CAUSES = (
    "volatile_value",
    "order_changed",
    "whitespace",
    "history_edited",
    "model_changed",
    "expired",
    "evicted",
    "below_minimum",
    "never_seen",
)
"""All causes of a miss; every token that is not found has exactly one."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where one request's prefix parted from the earlier request that it resembles most."""

    line: int
    earlier_line: int | None
    cause: str
    where: str
    """In words, such as `system, line 3, character 14`."""
    before: str
    after: str
    """The values that differ, shortened; empty in a report without text."""
    prompt_tokens: int
    hit_tokens: int
    tokens_lost: int
    """Tokens that would have been found without the break."""
    lead: str = ""
    """The text just before the two values, the same in both prompts, for a diff with context."""
    tail: str = ""
    """The text just after them in this prompt."""


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One cause at one kind of position, over all requests."""

    cause: str
    requests: int
    tokens_lost: int
    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change, and the hit rate that the log has with it; `gain` is in fractions of the tokens."""

    fix: str
    cause: str
    hit_rate: float
    gain: float


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the picture: prompts that share a prefix, and where their prefixes part."""

    id: int
    parent_id: int | None
    label: str
    """How its text begins; in a report without text, its position in words."""
    tokens: int
    requests: int
    cause: str | None
    """Why the branch exists: the cause of most of the breaks at its beginning."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found in one log."""

    requests: int
    skipped_lines: tuple[str, ...]
    """One line of text for each line of the log that could not be used; see `num_skipped`."""
    num_skipped: int
    prompt_tokens: int
    hit_tokens: int
    reported_hit_rate: float | None
    """The hit rate by the server's own `usage`; None if no line has one."""
    possible_hit_rate: float
    """The hit rate with all fixes at once."""
    tokenizer: str
    causes: tuple[CauseRow, ...]
    """Most tokens lost first; causes that can be avoided before `never_seen`."""
    fixes: tuple[Fix, ...]
    """Largest gain first."""
    breaks: tuple[Break, ...]
    """Those that cost most, at most a few hundred, for the page and the table."""
    branches: tuple[Branch, ...]
    """The largest part of the tree, at most a few hundred nodes, parents first."""

    @property
    def hit_rate(self) -> float:
        """Tokens found ÷ tokens asked for; 0 without tokens."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0
