"""A model, its cache and its words: prompts in, answers out.

    text ─► token ids ─► Engine ─► token ids ─► text

Knows the tokenizer and who asked. The engine knows neither; this file knows no batch and no block.
"""

import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence as Many
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from radixlab.cache import CacheConfig, CacheError, KVCacheManager
from radixlab.cache.tokens import TokenArray
from radixlab.config import ConfigError, SchedulerConfig, positive
from radixlab.engine import Engine
from radixlab.events import Emit, MissReason, Namespace
from radixlab.model.errors import DoubledTokenError, LogitsError
from radixlab.model.llama import Llama
from radixlab.model.loader import load_model, load_tokenizer
from radixlab.model.runner import Runner
from radixlab.model.sampler import Sampler, SamplingParams
from radixlab.model.stream import TextStream
from radixlab.model.tokenizer import Tokenizer
from radixlab.sched import FinishReason, Request, RequestError

Prompt = str | Many[int] | TokenArray
"""Text, where there is a tokenizer, or token ids."""
BAD_REQUEST = (CacheError, ConfigError, RequestError)
"""What a request can be refused for."""
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

        With `n`, so many answers to each prompt follow one another, forked when it is computed.
        `progress` shows a bar where stderr is a terminal. When interrupted, it gives up all of
        them; what was computed stays cached.
        """
        if isinstance(prompts, str):
            raise RequestError(f"generate takes a list of prompts, not one text, {prompts[:20]!r}")
        each = params if isinstance(params, Many) else [params] * len(prompts)
        if len(each) != len(prompts):
            raise RequestError(f"{len(prompts)} prompts, but {len(each)} params")
        asked, n = list[Answer | Output](), positive("n", n)
        with self._given_up_at_the_end(asked):
            for prompt, one in zip(prompts, each, strict=True):
                with interrupts_wait():
                    asked += self._ask_or_reject(prompt, one, n, namespace)
            mine = {answer.request.id for answer in asked if isinstance(answer, Answer)}
            disable = None if progress else True  # None: unless stderr is a terminal
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

        Several streams may be read in turns: all advance together. The first piece raises what
        `Engine.add_request` does, the last `LogitsError` if the model's scores were no numbers.
        """
        asked = list[Answer]()
        with self._given_up_at_the_end(asked):
            with interrupts_wait():
                asked.append(answer := self._ask(prompt, params, namespace))
            while answer.pieces or answer.finish_reason is None:
                if answer.pieces:
                    yield answer.pieces.popleft()
                else:
                    self._step()
            if answer.error:
                raise LogitsError(answer.error)

    # ---- inside

    def _ask(self, prompt: Prompt, params: SamplingParams, namespace: Namespace | None) -> "Answer":
        if not isinstance(params, SamplingParams):
            raise RequestError(f"params must be SamplingParams, not {params!r}")
        if params.stop and self.tokenizer is None:
            raise RequestError(
                f"stop strings, {params.stop}, but there is no tokenizer to find them"
            )
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
        except BAD_REQUEST as error:
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
        with interrupts_wait():
            for new in self.engine.step():
                answer = self._answers.get(new.request_id)
                if answer is None:
                    continue  # given to the engine itself
                answer.take(new.token_id)
                if answer.finish_reason:
                    self._give_up(answer)

    def _give_up(self, answer: "Answer") -> None:
        """Forget an answer, which the engine may be at still: a stop string is none of its."""
        self._answers.pop(answer.request.id, None)
        self.engine.abort(answer.request.id, answer.finish_reason or "abort")

    @contextmanager
    def _given_up_at_the_end(self, asked: Many["Answer | Output"]) -> Iterator[None]:
        """Leave none of these behind in the engine, whatever happens."""
        try:
            yield
        finally:
            with interrupts_wait():
                for answer in asked:
                    if isinstance(answer, Answer):
                        self._give_up(answer)


class Answer:
    """One answer as it grows: what the engine says, read."""

    def __init__(self, request: Request, stream: TextStream | None) -> None:
        self.request = request
        self.pieces: deque[Piece] = deque()
        """Those that nobody has fetched."""
        self._stream = stream
        self._text: list[str] = []

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it is over, by the engine or by a stop string."""
        stopped = self._stream and self._stream.stopped_by is not None
        return "stop" if stopped else self.request.finish_reason

    @property
    def error(self) -> str | None:
        """Why no token could be chosen, if that was so."""
        if self.finish_reason != "error":
            return None
        num_prompt, num_output = self.request.num_prompt_tokens, len(self.request.output)
        return (
            f"no score is a finite number after a prompt of {num_prompt} tokens and {num_output} "
            "of the answer: weights or cached KV are corrupt"
        )

    def take(self, token_id: int | None) -> None:
        """Read the next token; None if there is none, and the answer is over."""
        text = ""
        if self._stream:
            if token_id is not None:
                text = self._stream.push(token_id)
            if self.request.finish_reason:
                text += self._stream.finish()
        self._text.append(text)
        if token_id is not None:
            self.pieces.append(Piece(token_id, text))

    def output(self) -> Output:
        """Return what is known at the end."""
        request, reason = self.request, self.finish_reason
        return Output(
            request.output,
            "".join(self._text),
            request.num_prompt_tokens,
            request.num_cached_tokens,
            reason or "abort",
            request.miss_reason,
            self.error,
        )


def _of_fork(params: SamplingParams, number: int) -> SamplingParams:
    """Let each fork throw dice of its own, reproducibly if a seed is given."""
    if params.seed is None:
        return params
    return replace(params, seed=(params.seed + number) % 2**64)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block: half a step would leave what nobody gives up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no signal comes here
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    for number in came[:1]:
        signal.raise_signal(number)
