"""The door: what a caller may ask of a model, and when the engine works for it.

This file knows callers, and how long their answers live. It does not know batches or blocks.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Many
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from radixlab.cache import CacheConfig, KVCacheManager, TokenError
from radixlab.cache.checks import check_namespace
from radixlab.cache.protocols import EvictionPolicy
from radixlab.cache.tokens import TokensLike
from radixlab.config import ConfigError, SchedulerConfig, positive, shown
from radixlab.engine import Engine
from radixlab.escape import count
from radixlab.events import Emit, Namespace
from radixlab.interrupts import Interrupts
from radixlab.llm.answer import Answer, Output, Piece
from radixlab.llm.opening import check_max_model_len, open_model
from radixlab.llm.prompts import Conversation, Prompt, as_conversations, as_prompts, token_ids
from radixlab.model.errors import ChatTemplateError, DoubledTokenError, LogitsError
from radixlab.model.llama import Llama
from radixlab.model.params import MOST_ANSWERS, OPEN, SamplingParams
from radixlab.model.runner import Runner
from radixlab.model.sampler import Sampler
from radixlab.model.tokenizer import Tokenizer
from radixlab.sched import ArgumentError, RequestError
from radixlab.sched.door import check_flag

BAD_PROMPT = (TokenError, RequestError)
"""Errors that reject one prompt. Any other error is the caller's, and concerns all prompts."""
ALL_OPEN = SamplingParams()
"""Nothing chosen: the model's defaults apply, and without them the answer is greedy."""
Params = SamplingParams | Many[SamplingParams]
MakeManager = Callable[[CacheConfig, Emit | None, EvictionPolicy | None], KVCacheManager]


class LLM:
    """Answers prompts with one model over one cache.

    Parameters
    ----------
    model
        A folder in Hugging Face's format, a name that `radixlab model` lists ("tiny", "smollm2"),
        or a loaded model.
    tokenizer
        By default the folder's; a tokenizer, or a folder that has one.
    dtype
        "float32", "bfloat16" or "float16"; "auto" is the checkpoint's own.
    device
        "cpu", "cuda" or "cuda:1"; "auto" is a GPU if there is one. By default the CPU, or
        the device that a loaded model is on.
    max_model_len
        Most tokens of a prompt and its answer together; by default the model's whole context.
    defaults
        Sampling parameters by name, in place of those in the folder's generation_config.json. `{}`
        means none. They apply wherever a caller leaves one open; `LLM.defaults` tells which are in
        force, and `Output.params` what was applied to an answer.

    manager
        Makes the cache's manager, such as one with a tree of somebody's own.

    One thread owns the LLM. The cache is kept from call to call. Raises a `ConfigError` or
    `ModelError` that names the argument or the file.
    """

    def __init__(
        self,
        model: Llama | str | Path,
        tokenizer: Tokenizer | str | Path | None = None,
        *,
        dtype: str | torch.dtype = "auto",
        device: str | torch.device | None = None,
        max_model_len: int | None = None,
        defaults: Mapping[str, Any] | None = None,
        cache: CacheConfig | None = None,
        scheduler: SchedulerConfig | None = None,
        emit: Emit | None = None,
        backend: str | None = None,
        policy: EvictionPolicy | None = None,
        manager: MakeManager = KVCacheManager,
    ) -> None:
        opened = open_model(model, tokenizer, dtype, device)
        cache = cache or CacheConfig(num_blocks=1024)
        self.tokenizer = opened.tokenizer
        self.manager = manager(cache, emit, policy)
        eos_ids = self.tokenizer.eos_ids if self.tokenizer else ()
        runner = Runner(opened.model, cache, backend)
        runner.max_context_len = check_max_model_len(max_model_len, runner.max_context_len)
        self.engine = Engine(self.manager, runner, scheduler, eos_ids)
        self.max_model_len = runner.max_context_len
        """Most tokens of a prompt and its answer together."""
        self.defaults = _checked(opened.defaults if defaults is None else defaults)
        """Sampling parameters that apply where a caller leaves them open."""
        self._answers: dict[int, Answer] = {}
        """The unfinished answers, by the ids of their requests."""

    def generate(
        self,
        prompts: Prompt | Many[Prompt],
        params: Params = ALL_OPEN,
        *,
        n: int | None = None,
        namespace: Namespace | None = None,
        progress: bool = True,
    ) -> list[Output]:
        """Answer one prompt or several; a bad one is rejected alone, and its output says why.

        `prompts.py` tells what one prompt is: a text, or token ids. The list has an output for each
        answer, in the order of the prompts; a prompt's `n` answers stand next to each other, forked
        when the prompt is computed. `n` replaces `params.n`. `progress` shows a bar if
        stderr is a terminal. An interrupt aborts all prompts; what was computed stays cached. Any
        other bad argument raises an `ArgumentError`, `ConfigError` or `NamespaceError` before any
        prompt is added.
        """
        return self._generate(as_prompts(prompts), params, n, namespace, progress)

    def chat(
        self,
        messages: Any,
        params: Params = ALL_OPEN,
        *,
        n: int | None = None,
        namespace: Namespace | None = None,
        progress: bool = True,
        **template: Any,
    ) -> list[Output]:
        """Answer one conversation, a list of messages, or several, a list of such lists.

        Each is written as a prompt by the tokenizer's chat template, and then answered as by
        `generate`; `template` are arguments of `Tokenizer.chat`, such as `tools` and `today`. A
        conversation that the template refuses is rejected alone. Raises `ArgumentError` if there is
        no template.

        >>> from radixlab.model.tiny import fact_sheet
        >>> sheet = fact_sheet(seed=0, num_facts=4, num_tokens=40)
        >>> question = {"role": "user", "content": f"{sheet.text} Q: {sheet.facts[1].question}"}
        >>> (answer,) = LLM("tiny", dtype="float32").chat([question])
        """
        if self.tokenizer is None or self.tokenizer.chat_template is None:
            lacks = "a tokenizer" if self.tokenizer is None else "a chat template"
            raise ArgumentError(f"chat needs {lacks}, which this model lacks: use generate")
        talks = as_conversations(messages, template)
        return self._generate(talks, params, n, namespace, progress)

    def stream(
        self,
        prompt: Prompt,
        params: SamplingParams = ALL_OPEN,
        *,
        namespace: Namespace | None = None,
    ) -> Iterator[Piece]:
        """Answer one prompt piece by piece; closing the stream aborts the answer.

        The last piece has the whole `Output` as its `end`. Several streams may be read in turns:
        all advance together. A stream may be dropped or closed in any thread; outside the engine's
        thread, the next step aborts its request. For a bad prompt, reading the first piece raises
        the errors of `Engine.add_request`. Non-finite logits raise a `LogitsError` after the last
        piece.
        """
        params = self._complete(params)
        check_namespace(namespace)
        if params.n > 1:
            raise ArgumentError(f"a stream is one answer: n must be 1, not {params.n}")
        return self._stream(prompt, params, namespace)

    # ---- for a server, which runs the steps itself

    def ask(
        self,
        prompt: Prompt,
        params: SamplingParams = ALL_OPEN,
        *,
        namespace: Namespace | None = None,
    ) -> list[Answer]:
        """Add one prompt to the queue; return its `n` answers, which grow with each `step`.

        Raises the errors of `Engine.add_request`, and adds nothing then.
        """
        params = self._complete(params)
        check_namespace(namespace)
        with Interrupts():
            return self._ask(prompt, params, namespace)

    def step(self) -> None:
        """Run one step of the engine, and read the new tokens of all answers."""
        with Interrupts():
            self.engine.step()
            for answer in list(self._answers.values()):
                answer.read()  # from the request, so that nothing is lost if a step raised
                if answer.is_over:
                    self.give_up(answer)

    def give_up(self, answer: Answer) -> None:
        """Forget an answer; abort it if it still runs: the engine knows no stop strings."""
        if self.engine.is_mine:
            self._answers.pop(answer.request.id, None)
            self.engine.abort(answer.request.id, answer.finish_reason or "abort")
        else:  # a stream was dropped in another thread, or by the garbage collector in mid-step
            self.engine.abort_soon(answer.request.id)

    # ---- inside

    def _generate(
        self,
        prompts: list[Any],
        params: Params,
        n: int | None,
        namespace: Namespace | None,
        progress: bool,
    ) -> list[Output]:
        each = self._complete_each(prompts, params, n)
        check_namespace(namespace)
        asked = list[Answer | Output]()
        disable = None if check_flag("progress", progress) else True  # None shows it on a terminal
        with self._given_up_at_the_end(asked):
            for prompt, one in zip(prompts, each, strict=True):
                with Interrupts():
                    asked += self._ask_or_reject(prompt, one, namespace)
            mine = {answer.request.id for answer in asked if isinstance(answer, Answer)}
            with tqdm(total=len(mine), unit="answer", file=sys.stderr, disable=disable) as bar:
                while num_left := len(mine & self._answers.keys()):
                    self.step()
                    bar.update(len(mine) - num_left - bar.n)
        return [one if isinstance(one, Output) else one.output() for one in asked]

    def _stream(
        self, prompt: Prompt, params: SamplingParams, namespace: Namespace | None
    ) -> Iterator[Piece]:
        asked = list[Answer]()
        with self._given_up_at_the_end(asked):
            with Interrupts():
                asked += self._ask(prompt, params, namespace)
            (answer,) = asked
            while answer.pieces or not answer.is_over:
                if answer.pieces:
                    yield answer.pieces.popleft()
                else:
                    self.step()
            if answer.error:
                raise LogitsError(answer.error)

    def _complete_each(
        self, prompts: list[Any], params: Params, n: int | None
    ) -> list[SamplingParams]:
        """Return the complete parameters of each prompt; raise `ArgumentError` or `ConfigError`."""
        one_for_all = not isinstance(params, list | tuple)
        each: list[Any] = [params] * len(prompts) if one_for_all else [*params]  # type: ignore[misc]
        if len(each) != len(prompts):
            raise ArgumentError(f"{count(len(prompts), 'prompt')}, but {len(each)} params")
        n = None if n is None else positive("n", n, MOST_ANSWERS)
        if one_for_all:
            return [self._complete(params, n)] * len(prompts)
        return [self._complete(one, n) for one in each]

    def _complete(self, params: Any, n: int | None = None) -> SamplingParams:
        """Return parameters with the defaults for what is left open; refuse what cannot be done."""
        if not isinstance(params, SamplingParams):
            raise ArgumentError(f"params must be SamplingParams, not {params!r}")
        if params.stop and self.tokenizer is None:
            raise ArgumentError(
                f"stop strings {params.stop} cannot be found: there is no tokenizer"
            )
        completed = params.completed(self.defaults)
        completed.check_ids(self.engine.runner.vocab_size)
        return completed if n is None else replace(completed, n=n)

    def _ask(
        self, prompt: Any, params: SamplingParams, namespace: Namespace | None
    ) -> list[Answer]:
        tokens = self._token_ids(prompt)
        eos_ids = () if params.ignore_eos else self.engine.eos_ids
        end_ids = {*eos_ids, *params.stop_token_ids}
        request = self.engine.add_request(
            tokens,
            params.max_tokens,
            sampler=Sampler(params, tokens, end_ids),
            ignore_eos=params.ignore_eos,
            stop_token_ids=params.stop_token_ids,
            namespace=namespace,
        )
        requests = [request]
        try:
            for number in range(1, params.n):
                sampler = Sampler(_of_fork(params, number), tokens, end_ids)
                requests.append(self.engine.fork_request(request, sampler))
        except BaseException:
            for request in requests:
                self.engine.abort(request.id)
            raise
        answers = [Answer(request, params, self.tokenizer) for request in requests]
        self._answers |= {answer.request.id: answer for answer in answers}
        return answers

    def _ask_or_reject(
        self, prompt: Any, params: SamplingParams, namespace: Namespace | None
    ) -> Many[Answer | Output]:
        """Ask for n answers; for a bad prompt, return n outputs that say why."""
        try:
            return self._ask(prompt, params, namespace)
        except ArgumentError:  # the caller's mistake, though it is a `RequestError` too
            raise
        except BAD_PROMPT as error:
            return [Output([], "", 0, 0, "rejected", error=str(error))] * params.n

    def _token_ids(self, prompt: Any) -> TokensLike:
        if isinstance(prompt, Conversation):
            prompt = self._written(prompt)
        if not isinstance(prompt, str):
            return token_ids(prompt)
        if self.tokenizer is None:
            raise RequestError(f"no tokenizer for the text {prompt[:20]!r}: use token ids")
        try:
            return self.tokenizer.encode(prompt)
        except DoubledTokenError as error:
            raise RequestError(str(error)) from None
        except (TypeError, UnicodeError) as error:  # for example half of a surrogate pair
            raise RequestError(f"{prompt[:20]!r} cannot be encoded: {error}") from None

    def _written(self, talk: Conversation) -> str:
        """Write a conversation as a prompt."""
        assert self.tokenizer is not None
        try:
            return self.tokenizer.chat(talk.messages, **talk.variables)
        except ChatTemplateError as error:
            raise RequestError(str(error)) from None

    @contextmanager
    def _given_up_at_the_end(self, asked: Many[Answer | Output]) -> Iterator[None]:
        """Remove all of these answers from the engine at the end, whatever happens."""
        try:
            yield
        finally:
            with Interrupts():
                for answer in asked:
                    if isinstance(answer, Answer):
                        self.give_up(answer)


def _of_fork(params: SamplingParams, number: int) -> SamplingParams:
    """Give each fork its own random numbers, reproducibly if a seed is given."""
    if params.seed is None:
        return params
    return replace(params, seed=(params.seed + number) % 2**64)


def _checked(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return defaults that a request can have; raise `ConfigError` for others."""
    if not isinstance(defaults, Mapping) or not all(name in OPEN for name in defaults):
        raise ConfigError(
            f"defaults must be a mapping with names among {', '.join(OPEN)}, not {shown(defaults)}"
        )
    params = SamplingParams(**defaults)
    return {name: getattr(params, name) for name in defaults}
