"""A request: its prompt, its state and its answer so far.

    waiting ─► running ─► finished
       ▲          │
       └──────────┘ preempted

This file knows states and transitions only. `scheduler.py` decides when a request runs. How a token
is chosen, and what text it stands for, is not known here.
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

    - `[0, num_computed)` KV is in the pool; empty while the request waits
    - `[num_computed, tokens.num_tokens)` still to be computed
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
        """Unique in its engine, and smaller for earlier requests."""
        self.tokens = Tokens(tokens)
        """The tokens that the cache knows; while the request runs, its sequence's own buffer."""
        self.num_prompt_tokens: int = self.tokens.num_tokens
        self.max_tokens = max_tokens
        """Most tokens of the answer: what the caller asked for, or what the engine has room for."""
        self.is_cut = False
        """Whether `max_tokens` is less than the caller asked for."""
        self.namespace = namespace
        self.eos_ids = eos_ids
        """Tokens that end the answer; the answer includes the one that ends it."""
        self.sampler = sampler
        """How tokens are chosen; only the runner looks at it."""
        self.sequence: Sequence | None = None
        """The cache's sequence, with its blocks; None unless the request runs."""
        self.num_computed = 0
        self.output: list[int] = []
        self.num_reported = 0
        """Output tokens that a step has reported, plus one if a step reported an error."""
        self.forks: list[Request] = []
        """Requests for more answers to this prompt; they begin when the prompt is computed."""
        self.origin: Request | None = None
        """The request that it is a fork of, until it begins."""
        self.num_passes = 0
        """Steps in which later requests were admitted before it."""
        self.num_preemptions = 0
        self.num_cached_tokens = 0
        """Prompt tokens that were cached when the request was first admitted. Re-finding its own
        blocks after a preemption does not count as a hit."""
        self.num_host_cached_tokens = 0
        """Those of them that were loaded back from the host."""
        self.miss_reason: MissReason | None = None
        """Why the rest of the prompt was not cached."""
        self.finish_reason: FinishReason | None = None

    @property
    def num_tokens(self) -> int:
        """Tokens of prompt and output."""
        return self.num_prompt_tokens + len(self.output)

    @property
    def num_left(self) -> int:
        """Tokens still to be computed before the next one can be chosen."""
        return self.tokens.num_tokens - self.num_computed

    @property
    def needs_slot(self) -> bool:
        """Whether the request runs, and its last token has no slot yet."""
        return self.sequence is not None and self.tokens.num_tokens < self.num_tokens

    def admit(self, sequence: Sequence) -> None:
        """Start to run; the tokens that the sequence found in the cache count as computed (S6)."""
        self.sequence = sequence
        self.tokens = sequence.tokens
        self.num_computed = sequence.hit_tokens
        if not self.num_preemptions:
            self.num_cached_tokens = sequence.hit_tokens
            self.num_host_cached_tokens = sequence.host_hit_tokens
            self.miss_reason = sequence.miss_reason

    def admit_fork(self, sequence: Sequence) -> None:
        """Start to run as a fork; its prompt is computed already."""
        self.sequence = sequence
        self.tokens = sequence.tokens
        self.num_computed = self.num_prompt_tokens
        self.num_cached_tokens = self.num_prompt_tokens

    def preempt(self) -> None:
        """Wait again; all tokens so far must be computed again."""
        last = self.output[-1:] if self.needs_slot else []
        self.tokens = Tokens(np.append(self.tokens.token_ids, np.array(last, np.int32)))
        self.sequence = None
        self.num_computed = 0
        self.num_preemptions += 1

    def take(self, token_id: int) -> None:
        """Add the chosen token to the output, and finish if it is the last."""
        self.output.append(token_id)
        self._end_if_due()

    def start_over(self) -> None:
        """Wait with only the prompt and the output, whatever state a fault left behind."""
        self.num_preemptions += self.sequence is not None
        prompt = self.tokens.token_ids[: self.num_prompt_tokens]
        self.tokens = Tokens(np.append(prompt, np.array(self.output, np.int32)))
        self.sequence = None
        self.num_computed = 0
        self.origin = None
        self.forks = []
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
