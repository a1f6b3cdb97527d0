"""An answer while it grows, and what a caller gets: pieces, and in the end an output.

This file knows one request. It does not know who reads the answer, or how tokens are chosen.
"""

from collections import deque
from dataclasses import dataclass, field

from radixlab.events import MissReason
from radixlab.model.logprobs import Logprob
from radixlab.model.params import SamplingParams
from radixlab.model.sampler import Sampler
from radixlab.model.stream import TextStream
from radixlab.model.tokenizer import Tokenizer
from radixlab.sched import FinishReason, Request


@dataclass(frozen=True, slots=True)
class Output:
    """The answer to a prompt, and how much of the prompt was cached."""

    token_ids: list[int]
    """All tokens of the answer, with the one that ended it."""
    text: str
    """The text up to the first stop string, and without the token that ended the answer; empty
    without a tokenizer."""
    num_prompt_tokens: int
    num_cached_tokens: int
    """Prompt tokens that did not have to be computed."""
    finish_reason: FinishReason
    miss_reason: MissReason | None = None
    """Why the rest of the prompt was not cached."""
    error: str | None = None
    """Why the prompt was rejected, or why the answer ended with "error"."""
    is_cut: bool = False
    """Whether the answer ended before `max_tokens` because the context or the pool was full."""
    stop_reason: str | int | None = None
    """The stop string or the token of `stop_token_ids` that ended the answer; None if something
    else did, such as the model's own end-of-text token."""
    logprobs: list[Logprob] | None = None
    """One for each token of `token_ids`; None unless the parameters ask for them."""
    params: SamplingParams | None = None
    """The parameters that applied, the folder's defaults included; None if the prompt was
    rejected."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The new part of an answer."""

    token_id: int | None
    """None if the answer ended without a new token, because somebody aborted it."""
    text: str
    """Text that is final with this token. It is often empty, because more tokens are needed to
    complete a character or to rule out a stop string."""
    logprob: Logprob | None = None
    end: Output | None = field(default=None, compare=False)
    """The whole answer, with the last piece: why it ended, which stop matched, what was cached."""


class Answer:
    """One answer while it grows: reads the request's tokens and decodes them."""

    def __init__(
        self, request: Request, params: SamplingParams, tokenizer: Tokenizer | None
    ) -> None:
        self.request = request
        self.params = params
        self.pieces: deque[Piece] = deque()
        """Pieces that nobody has fetched."""
        self.is_over = False
        """Whether the whole answer has been read."""
        self._num_read = 0
        self._stream = TextStream(tokenizer, params.stop, params.min_tokens) if tokenizer else None
        self._text: list[str] = []

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended: a stop string, or the engine's reason."""
        return "stop" if self._stopped_by is not None else self.request.finish_reason

    @property
    def stop_reason(self) -> str | int | None:
        """The stop string or the token of `stop_token_ids` that ended the answer."""
        if self._stopped_by is not None:
            return self._stopped_by
        if self.request.finish_reason != "stop" or not self.request.output:
            return None
        last = self.request.output[-1]
        return last if last in (self.params.stop_token_ids) else None

    @property
    def is_cut(self) -> bool:
        """Whether it ended before `max_tokens` because the context or the pool was full."""
        return self.request.is_cut and self.finish_reason == "length"

    @property
    def error(self) -> str | None:
        """Why no token could be chosen; None if the answer did not end with "error"."""
        if self.finish_reason != "error":
            return None
        num_prompt, num_output = self.request.num_prompt_tokens, len(self.request.output)
        return (
            f"non-finite logits after {num_prompt} prompt tokens and {num_output} answer tokens: "
            "weights or cached KV are corrupt"
        )

    def read(self) -> None:
        """Read the tokens that the request has gained since the last call."""
        output, reason = self.request.output, self.request.finish_reason
        while not self.is_over and self._num_read < len(output):
            token_id = output[self._num_read]
            self._num_read += 1
            is_last = reason is not None and self._num_read == len(output)
            has_text = not (is_last and reason == "stop")  # the token that is an end has none
            text = self._stream.push(token_id) if self._stream and has_text else ""
            self._text.append(text + self._rest() if is_last else text)
            self.is_over = is_last or self._stopped_by is not None
            self._add_piece(token_id)
        if reason and not self.is_over:  # no token came with the end
            self._text.append(self._rest())
            self.is_over = True
            if reason != "error":  # an error is raised, not returned
                self._add_piece(None)

    def output(self) -> Output:
        """Return the finished answer."""
        request = self.request
        return Output(
            request.output[: self._num_read],
            "".join(self._text),
            request.num_prompt_tokens,
            request.num_cached_tokens,
            self.finish_reason or "abort",
            request.miss_reason,
            self.error,
            self.is_cut,
            self.stop_reason,
            self._logprobs(),
            self.params,
        )

    # ---- inside

    @property
    def _stopped_by(self) -> str | None:
        """The stop string that was found."""
        return self._stream.stopped_by if self._stream else None

    def _rest(self) -> str:
        """Return the text held back while a stop string might have followed."""
        return self._stream.finish() if self._stream else ""

    def _logprobs(self) -> list[Logprob] | None:
        sampler: Sampler = self.request.sampler
        return None if self.params.logprobs is None else sampler.logprobs[: self._num_read]

    def _add_piece(self, token_id: int | None) -> None:
        logprob = None
        if token_id is not None and self.params.logprobs is not None:
            logprob = self.request.sampler.logprobs[self._num_read - 1]
        end = self.output() if self.is_over else None
        self.pieces.append(Piece(token_id, self._text[-1], logprob, end))
