"""A model with its cache and its tokenizer: prompts in, answers out.

    text ─► token ids ─► Engine ─► token ids ─► text

This file knows the tokenizer and the callers. The engine knows neither. This file does not know
batches or blocks.
"""

import sys
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence as Many
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from radixlab.cache import CacheConfig, KVCacheManager, TokenError
from radixlab.cache.checks import check_namespace
from radixlab.cache.protocols import EvictionPolicy
from radixlab.cache.tokens import TokenArray
from radixlab.config import SchedulerConfig, positive
from radixlab.engine import Engine
from radixlab.events import Emit, MissReason, Namespace
from radixlab.interrupts import Interrupts
from radixlab.model.errors import DoubledTokenError, LogitsError
from radixlab.model.llama import Llama
from radixlab.model.loader import load_model, load_tokenizer
from radixlab.model.runner import Runner
from radixlab.model.sampler import Sampler, SamplingParams
from radixlab.model.stream import TextStream
from radixlab.model.tokenizer import Tokenizer
from radixlab.sched import ArgumentError, FinishReason, Request, RequestError
from radixlab.sched.door import check_flag

Prompt = str | Many[int] | TokenArray
"""Text, if there is a tokenizer, or token ids."""
BAD_PROMPT = (TokenError, RequestError)
"""Errors that reject one prompt. Any other error is the caller's, and concerns all prompts."""
GREEDY = SamplingParams()


@dataclass(frozen=True, slots=True)
class Output:
    """The answer to a prompt, and how much of the prompt was cached."""

    token_ids: list[int]
    text: str
    """The text up to the first stop string; empty without a tokenizer."""
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


@dataclass(frozen=True, slots=True)
class Piece:
    """The new part of an answer."""

    token_id: int
    text: str
    """Text that is final with this token. It is often empty, because more tokens are needed to
    complete a character or to rule out a stop string."""


class LLM:
    """Answers prompts with one model over one cache.

    `model` is a loaded model or a folder in Hugging Face's format; the folder's tokenizer is used
    unless another is given. One thread owns the LLM. The cache is kept from call to call.
    """

    def __init__(
        self,
        model: Llama | str | Path,
        tokenizer: Tokenizer | None = None,
        *,
        cache: CacheConfig | None = None,
        scheduler: SchedulerConfig | None = None,
        emit: Emit | None = None,
        backend: str | None = None,
        policy: EvictionPolicy | None = None,
    ) -> None:
        if not isinstance(model, Llama):
            tokenizer = tokenizer or load_tokenizer(model)
            model = load_model(model)
        cache = cache or CacheConfig(num_blocks=1024)
        self.tokenizer = tokenizer
        self.manager = KVCacheManager(cache, emit, policy)
        eos_ids = tokenizer.eos_ids if tokenizer else ()
        self.engine = Engine(self.manager, Runner(model, cache, backend), scheduler, eos_ids)
        self._answers: dict[int, Answer] = {}
        """The unfinished answers, by the ids of their requests."""

    def generate(
        self,
        prompts: Many[Prompt],
        params: SamplingParams | Many[SamplingParams] = GREEDY,
        *,
        n: int = 1,
        namespace: Namespace | None = None,
        progress: bool = True,
    ) -> list[Output]:
        """Answer all prompts; a bad prompt is rejected alone, and its output says why.

        Each prompt gets `n` answers, which stand next to each other in the list; they are forked
        when the prompt is computed. `progress` shows a bar if stderr is a terminal. An interrupt
        aborts all prompts; what was computed stays cached. Any other bad argument raises an
        `ArgumentError`, `ConfigError` or `NamespaceError` before any prompt is added.
        """
        each = self._check_each(prompts, params)
        check_namespace(namespace)
        n = positive("n", n)
        asked = list[Answer | Output]()
        disable = None if check_flag("progress", progress) else True  # None shows it on a terminal
        with self._given_up_at_the_end(asked):
            for prompt, one in zip(prompts, each, strict=True):
                with Interrupts():
                    asked += self._ask_or_reject(prompt, one, n, namespace)
            mine = {answer.request.id for answer in asked if isinstance(answer, Answer)}
            with tqdm(total=len(mine), unit="answer", file=sys.stderr, disable=disable) as bar:
                while num_left := len(mine & self._answers.keys()):
                    self._step()
                    bar.update(len(mine) - num_left - bar.n)
        return [each if isinstance(each, Output) else each.output() for each in asked]

    def stream(
        self,
        prompt: Prompt,
        params: SamplingParams = GREEDY,
        *,
        namespace: Namespace | None = None,
    ) -> Iterator[Piece]:
        """Answer one prompt piece by piece; closing the stream aborts the answer.

        Several streams may be read in turns: all advance together. A stream may be dropped or
        closed in any thread; outside the engine's thread, the next step aborts its request. For a
        bad prompt, reading the first piece raises the errors of `Engine.add_request`. Non-finite
        logits raise a `LogitsError` after the last piece.
        """
        self._check_params(params)
        check_namespace(namespace)
        return self._stream(prompt, params, namespace)

    # ---- inside

    def _stream(
        self, prompt: Prompt, params: SamplingParams, namespace: Namespace | None
    ) -> Iterator[Piece]:
        asked = list[Answer]()
        with self._given_up_at_the_end(asked):
            with Interrupts():
                asked.append(answer := self._ask(prompt, params, namespace))
            while answer.pieces or not answer.is_over:
                if answer.pieces:
                    yield answer.pieces.popleft()
                else:
                    self._step()
            if answer.error:
                raise LogitsError(answer.error)

    def _check_each(
        self, prompts: Many[Prompt], params: SamplingParams | Many[SamplingParams]
    ) -> Many[SamplingParams]:
        """Check the arguments, and return the parameters of each prompt; raise `ArgumentError`."""
        if isinstance(prompts, str):
            raise ArgumentError(
                f"generate takes a list of prompts, not one text, {_short(prompts)}"
            )
        is_many = isinstance(prompts, Many | np.ndarray) and not isinstance(prompts, bytes)
        if not is_many or any(isinstance(prompt, Integral) for prompt in prompts):
            raise ArgumentError(f"generate takes a list of prompts, not {_short(prompts)}")
        one_for_all = not isinstance(params, list | tuple)
        each: list[Any] = [params] * len(prompts) if one_for_all else [*params]  # type: ignore[misc]
        if len(each) != len(prompts):
            raise ArgumentError(f"{len(prompts)} prompts, but {len(each)} params")
        for one in each:
            self._check_params(one)
        return each

    def _check_params(self, params: SamplingParams) -> None:
        if not isinstance(params, SamplingParams):
            raise ArgumentError(f"params must be SamplingParams, not {params!r}")
        if params.stop and self.tokenizer is None:
            raise ArgumentError(
                f"stop strings {params.stop} cannot be found: there is no tokenizer"
            )

    def _ask(self, prompt: Prompt, params: SamplingParams, namespace: Namespace | None) -> "Answer":
        request = self.engine.add_request(
            self._token_ids(prompt),
            params.max_tokens,
            sampler=Sampler(params),
            ignore_eos=params.ignore_eos,
            namespace=namespace,
        )
        return self._follow(request, params)

    def _follow(self, request: Request, params: SamplingParams) -> "Answer":
        stream = TextStream(self.tokenizer, params.stop) if self.tokenizer else None
        answer = self._answers[request.id] = Answer(request, stream)
        return answer

    def _ask_or_reject(
        self, prompt: Prompt, params: SamplingParams, n: int, namespace: Namespace | None
    ) -> Many["Answer | Output"]:
        """Ask for n answers; for a bad prompt, return n outputs that say why."""
        try:
            first = self._ask(prompt, params, namespace)
        except ArgumentError:  # the caller's mistake, though it is a `RequestError` too
            raise
        except BAD_PROMPT as error:
            return [Output([], "", 0, 0, "rejected", error=str(error))] * n
        samplers = [Sampler(_of_fork(params, number)) for number in range(1, n)]
        forks = [self.engine.fork_request(first.request, sampler) for sampler in samplers]
        return [first, *(self._follow(fork, params) for fork in forks)]

    def _token_ids(self, prompt: Prompt) -> Many[int] | TokenArray:
        if not isinstance(prompt, str):
            return prompt
        if self.tokenizer is None:
            raise RequestError(f"no tokenizer for the text {prompt[:20]!r}: use token ids")
        try:
            return self.tokenizer.encode(prompt)
        except DoubledTokenError as error:
            raise RequestError(str(error)) from None
        except (TypeError, UnicodeError) as error:  # for example half of a surrogate pair
            raise RequestError(f"{prompt[:20]!r} cannot be encoded: {error}") from None

    def _step(self) -> None:
        with Interrupts():
            self.engine.step()
            for answer in list(self._answers.values()):
                answer.read()  # from the request, so that nothing is lost if a step raised
                if answer.is_over:
                    self._give_up(answer)

    def _give_up(self, answer: "Answer") -> None:
        """Forget an answer; abort it if it still runs: the engine knows no stop strings."""
        if self.engine.is_mine:
            self._answers.pop(answer.request.id, None)
            self.engine.abort(answer.request.id, answer.finish_reason or "abort")
        else:  # a stream was dropped in another thread, or by the garbage collector in mid-step
            self.engine.abort_soon(answer.request.id)

    @contextmanager
    def _given_up_at_the_end(self, asked: Many["Answer | Output"]) -> Iterator[None]:
        """Remove all of these answers from the engine at the end, whatever happens."""
        try:
            yield
        finally:
            with Interrupts():
                for answer in asked:
                    if isinstance(answer, Answer):
                        self._give_up(answer)


class Answer:
    """One answer while it grows: reads the request's tokens and decodes them."""

    def __init__(self, request: Request, stream: TextStream | None) -> None:
        self.request = request
        self.pieces: deque[Piece] = deque()
        """Pieces that nobody has fetched."""
        self.is_over = False
        """Whether the whole answer has been read."""
        self._num_read = 0
        self._stream = stream
        self._text: list[str] = []

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended: a stop string, or the engine's reason."""
        return "stop" if self._is_stopped else self.request.finish_reason

    @property
    def _is_stopped(self) -> bool:
        """Whether a stop string was found."""
        return self._stream is not None and self._stream.stopped_by is not None

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
        while not self.is_over and self._num_read < len(self.request.output):
            token_id = self.request.output[self._num_read]
            self._num_read += 1
            is_last = self.request.finish_reason and self._num_read == len(self.request.output)
            text = self._stream.push(token_id) if self._stream else ""
            self.pieces.append(Piece(token_id, text + self._rest() if is_last else text))
            self._text.append(self.pieces[-1].text)
            self.is_over = bool(is_last) or self._is_stopped
        if self.request.finish_reason and not self.is_over:  # no token came with the end: "error"
            self._text.append(self._rest())
            self.is_over = True

    def _rest(self) -> str:
        """Return the text held back while a stop string might have followed."""
        return self._stream.finish() if self._stream else ""

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
        )


def _short(value: object) -> str:
    """Show the beginning of a caller's argument."""
    text = repr(value)
    return text if len(text) <= 24 else f"{text[:20]}…"


def _of_fork(params: SamplingParams, number: int) -> SamplingParams:
    """Give each fork its own random numbers, reproducibly if a seed is given."""
    if params.seed is None:
        return params
    return replace(params, seed=(int(params.seed) + number) % 2**64)
