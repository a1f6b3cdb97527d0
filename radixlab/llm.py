"""A model, its cache and its words: prompts in, answers out.

    text ─► token ids ─► Engine ─► token ids ─► text

Knows the tokenizer and who asked. The engine knows neither; this file knows no batch and no block.
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
"""Text, where there is a tokenizer, or token ids."""
BAD_PROMPT = (TokenError, RequestError)
"""What a prompt can be refused for. Any other error is the caller's, and concerns all prompts."""
GREEDY = SamplingParams()


@dataclass(frozen=True, slots=True)
class Output:
    """The answer to a prompt, and what the cache had of it."""

    token_ids: list[int]
    text: str
    """Up to the stop string, if one came; empty without a tokenizer."""
    num_prompt_tokens: int
    num_cached_tokens: int
    """Prompt tokens that did not have to be computed."""
    finish_reason: FinishReason
    miss_reason: MissReason | None = None
    """Why the rest of the prompt was not cached."""
    error: str | None = None
    """Why the prompt was rejected, or why the answer ended by "error"."""
    is_cut: bool = False
    """Whether context or pool had less room than `max_tokens`, and the answer ended there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new of an answer."""

    token_id: int
    text: str
    """Final with this token: often empty, where a character or a stop string may follow."""


class LLM:
    """Answers prompts with one model over one cache.

    `model` is loaded, or a folder as Hugging Face has them, whose tokenizer is then used too. One
    thread owns it. What the cache learns stays, from call to call.
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
    ) -> None:
        if not isinstance(model, Llama):
            tokenizer = tokenizer or load_tokenizer(model)
            model = load_model(model)
        cache = cache or CacheConfig(num_blocks=1024)
        self.tokenizer = tokenizer
        self.manager = KVCacheManager(cache, emit)
        eos_ids = tokenizer.eos_ids if tokenizer else ()
        self.engine = Engine(self.manager, Runner(model, cache, backend), scheduler, eos_ids)
        self._answers: dict[int, Answer] = {}
        """Those that are not finished, by the request's id."""

    def generate(
        self,
        prompts: Many[Prompt],
        params: SamplingParams | Many[SamplingParams] = GREEDY,
        *,
        n: int = 1,
        namespace: Namespace | None = None,
        progress: bool = True,
    ) -> list[Output]:
        """Answer all prompts; a bad one is rejected alone, and its output says why.

        With `n`, that many answers to each prompt follow one another, forked when it is computed.
        `progress` shows a bar where stderr is a terminal. When interrupted, it gives up all of
        them; what was computed stays cached. Any other bad argument raises an `ArgumentError`,
        `ConfigError` or `NamespaceError` before anything is asked.
        """
        each = self._check_each(prompts, params)
        check_namespace(namespace)
        asked, n = list[Answer | Output](), positive("n", n)
        disable = None if check_flag("progress", progress) else True  # None: unless on a terminal
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
        """Answer one prompt piece by piece; to stop asking is to give it up.

        Several streams may be read in turns: all advance together. A stream may be dropped or
        closed in any thread; in another than the engine's, the next step gives its request up. The
        first piece raises what `Engine.add_request` does for a bad prompt, the last a `LogitsError`
        if the logits were not finite.
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
        """Return the parameters of each prompt, looked over; raise `ArgumentError`."""
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
                f"stop strings, {params.stop}, but there is no tokenizer to find them"
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
        """Ask for n answers; if the prompt is bad, these are n outputs that say so."""
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
            raise RequestError(f"a text, {prompt[:20]!r}, but there is no tokenizer: use token ids")
        try:
            return self.tokenizer.encode(prompt)
        except DoubledTokenError as error:
            raise RequestError(str(error)) from None
        except (TypeError, UnicodeError) as error:  # a lone half of a surrogate pair is no text
            raise RequestError(f"{prompt[:20]!r} cannot be encoded: {error}") from None

    def _step(self) -> None:
        with Interrupts():
            self.engine.step()
            for answer in list(self._answers.values()):
                answer.read()  # the request itself, so that nothing is lost if a step raised
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
        """Leave none of these behind in the engine, whatever happens."""
        try:
            yield
        finally:
            with Interrupts():
                for answer in asked:
                    if isinstance(answer, Answer):
                        self._give_up(answer)


class Answer:
    """One answer as it grows: what the engine says, read."""

    def __init__(self, request: Request, stream: TextStream | None) -> None:
        self.request = request
        self.pieces: deque[Piece] = deque()
        """Those that nobody has fetched."""
        self.is_over = False
        """Whether all of it has been read."""
        self._num_read = 0
        self._stream = stream
        self._text: list[str] = []

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it is over, by the engine or by a stop string."""
        return "stop" if self._is_stopped else self.request.finish_reason

    @property
    def _is_stopped(self) -> bool:
        """Whether a stop string has come."""
        return self._stream is not None and self._stream.stopped_by is not None

    @property
    def is_cut(self) -> bool:
        """Whether it ended where context or pool had no more room, before `max_tokens`."""
        return self.request.is_cut and self.finish_reason == "length"

    @property
    def error(self) -> str | None:
        """Why no token could be chosen, if that was so."""
        if self.finish_reason != "error":
            return None
        num_prompt, num_output = self.request.num_prompt_tokens, len(self.request.output)
        return (
            f"non-finite logits after {num_prompt} prompt tokens and {num_output} answer tokens: "
            "weights or cached KV are corrupt"
        )

    def read(self) -> None:
        """Read the tokens that the request has got since the last time."""
        while not self.is_over and self._num_read < len(self.request.output):
            token_id = self.request.output[self._num_read]
            self._num_read += 1
            is_last = self.request.finish_reason and self._num_read == len(self.request.output)
            text = self._stream.push(token_id) if self._stream else ""
            self.pieces.append(Piece(token_id, text + self._rest() if is_last else text))
            self._text.append(self.pieces[-1].text)
            self.is_over = bool(is_last) or self._is_stopped
        if self.request.finish_reason and not self.is_over:  # without a last token: "error"
            self._text.append(self._rest())
            self.is_over = True

    def _rest(self) -> str:
        """Return the text held back while a stop string might have followed."""
        return self._stream.finish() if self._stream else ""

    def output(self) -> Output:
        """Return what is known at the end."""
        request, reason = self.request, self.finish_reason
        return Output(
            request.output[: self._num_read],
            "".join(self._text),
            request.num_prompt_tokens,
            request.num_cached_tokens,
            reason or "abort",
            request.miss_reason,
            self.error,
            self.is_cut,
        )


def _short(value: object) -> str:
    """Show the beginning of what a caller passed."""
    text = repr(value)
    return text if len(text) <= 24 else f"{text[:20]}…"


def _of_fork(params: SamplingParams, number: int) -> SamplingParams:
    """Let each fork throw dice of its own, reproducibly if a seed is given."""
    if params.seed is None:
        return params
    return replace(params, seed=(int(params.seed) + number) % 2**64)
