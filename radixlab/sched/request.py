"""A request: its prompt, where it stands, and what it has been answered.

    waiting ─► running ─► finished
       ▲          │
       └──────────┘ preempted

Only state and the steps from one to the next. Who goes when is `scheduler.py`'s; how a token is
chosen, and what it says, is not known here.
"""

from typing import Any, Literal

import numpy as np

from radixlab.cache.sequence import Sequence
from radixlab.cache.tokens import Tokens, TokensLike
from radixlab.events import MissReason, Namespace

FinishReason = Literal["stop", "length", "abort", "rejected", "error"]
"""`error` means non-finite logits; nothing that this step computed for the request is kept."""


class Request:
    """A prompt that waits, runs or is finished.

    Regions of its tokens, prompt then output:

    - `[0, num_computed)` KV in the pool: 0 while it waits
    - `[num_computed, tokens.num_tokens)` to be computed
    - `[tokens.num_tokens, num_tokens)` the token chosen last, if it has no slot yet
    """

    __slots__ = (
        "eos_ids",
        "finish_reason",
        "forks",
        "id",
        "is_cut",
        "max_tokens",
        "miss_reason",
        "namespace",
        "num_cached_tokens",
        "num_computed",
        "num_host_cached_tokens",
        "num_passes",
        "num_preemptions",
        "num_prompt_tokens",
        "num_reported",
        "origin",
        "output",
        "sampler",
        "sequence",
        "tokens",
    )

    def __init__(
        self,
        id: int,
        tokens: TokensLike,
        max_tokens: int,
        namespace: Namespace | None = None,
        eos_ids: frozenset[int] = frozenset(),
        sampler: Any = None,
    ) -> None:
        self.id = id
        """Its place among all requests ever, smaller is earlier."""
        self.tokens = Tokens(tokens)
        """What the cache knows of it; the sequence's own buffer while one runs."""
        self.num_prompt_tokens: int = self.tokens.num_tokens
        self.max_tokens = max_tokens
        """Most tokens of the answer: those asked for, or fewer if context or pool has no room."""
        self.is_cut = False
        """Whether that is less than was asked for."""
        self.namespace = namespace
        self.eos_ids = eos_ids
        """Tokens that end the answer; the one that does is its last."""
        self.sampler = sampler
        """How tokens are chosen: the runner's business."""
        self.sequence: Sequence | None = None
        """Its blocks; None unless it runs."""
        self.num_computed = 0
        self.output: list[int] = []
        self.num_reported = 0
        """Tokens of the output that a step has reported, and one more if it reported an error."""
        self.forks: list[Request] = []
        """Other answers to this prompt, which begin when it is computed."""
        self.origin: Request | None = None
        """Whose fork it is, until it begins."""
        self.num_passes = 0
        """Steps in which others were admitted before it although they came later."""
        self.num_preemptions = 0
        self.num_cached_tokens = 0
        """Prompt tokens that the cache had when it was first admitted; what it finds of itself
        after a preemption is no hit."""
        self.num_host_cached_tokens = 0
        """Those of them that came back from the host."""
        self.miss_reason: MissReason | None = None
        """Why the rest was not found."""
        self.finish_reason: FinishReason | None = None

    @property
    def num_tokens(self) -> int:
        """Prompt and output."""
        return self.num_prompt_tokens + len(self.output)

    @property
    def num_left(self) -> int:
        """Tokens to be computed before the next can be chosen."""
        return self.tokens.num_tokens - self.num_computed

    @property
    def needs_slot(self) -> bool:
        """Whether it runs, and its last token has no place in its sequence yet."""
        return self.sequence is not None and self.tokens.num_tokens < self.num_tokens

    def admit(self, sequence: Sequence) -> None:
        """Run: what the sequence found in the cache is computed."""
        self.sequence, self.tokens = sequence, sequence.tokens
        self.num_computed = sequence.hit_tokens
        if not self.num_preemptions:
            self.num_cached_tokens = sequence.hit_tokens
            self.num_host_cached_tokens = sequence.host_hit_tokens
            self.miss_reason = sequence.miss_reason

    def admit_fork(self, sequence: Sequence) -> None:
        """Run, beside the one that this is forked from: the prompt is computed."""
        self.sequence, self.tokens = sequence, sequence.tokens
        self.num_computed = self.num_cached_tokens = self.num_prompt_tokens

    def preempt(self) -> None:
        """Wait again, with all tokens so far to be computed."""
        last = self.output[-1:] if self.needs_slot else []
        self.tokens = Tokens(np.append(self.tokens.token_ids, np.array(last, np.int32)))
        self.sequence, self.num_computed = None, 0
        self.num_preemptions += 1

    def take(self, token_id: int) -> None:
        """Add the token that was chosen, which may be the last."""
        self.output.append(token_id)
        self._end_if_due()

    def start_over(self) -> None:
        """Wait with nothing but the prompt and the output, whatever else a fault left behind."""
        self.num_preemptions += self.sequence is not None
        prompt = self.tokens.token_ids[: self.num_prompt_tokens]
        self.tokens = Tokens(np.append(prompt, np.array(self.output, np.int32)))
        self.sequence, self.num_computed = None, 0
        self.origin, self.forks = None, []
        if self.output and self.finish_reason is None:
            self._end_if_due()

    def _end_if_due(self) -> None:
        if self.output[-1] in self.eos_ids:
            self.finish_reason = "stop"
        elif len(self.output) == self.max_tokens:
            self.finish_reason = "length"

    def __repr__(self) -> str:
        state = self.finish_reason or ("running" if self.sequence else "waiting")
        return (
            f"Request({self.id}: {self.num_prompt_tokens} tokens, "
            f"{len(self.output)} of {self.max_tokens} answered, {state})"
        )
