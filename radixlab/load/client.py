"""One request through the official client, measured.

Prompts are sent as token ids where the server takes them, else as text in which equal ids are equal
words; so prompts that share a beginning share it on the server too.

This file knows OpenAI's API. It does not know when requests are sent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from radixlab.load.ledger import Line, Status
from radixlab.load.plan import Planned
from radixlab.observe.monitor.fetch import metrics_url

if TYPE_CHECKING:
    from openai import AsyncOpenAI

VOCABULARIES = (128_000, 32_000, 8_000, 500)
"""Sizes that are tried for token ids, the largest first: a workload's ids are taken modulo that."""
CUT = ("timeout", "shutdown")
"""Values of `stop_reason` by which a server says that it cut an answer short."""
MAX_MESSAGE = 200


class LoadError(RuntimeError):
    """No requests can be sent to the server; the message is one line."""


@dataclass(slots=True)
class _Answer:
    """One answer while it comes."""

    times: list[float] = field(default_factory=list)
    finish_reason: str | None = None
    stop_reason: str | None = None
    usage: Any = None

    def take(self, chunk: Any, now_s: float) -> None:
        """Note when a part came, and what the server says about the whole."""
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            if choice.text or choice.finish_reason is None or not self.times:
                self.times.append(now_s)
            self.finish_reason = choice.finish_reason or self.finish_reason
            self.stop_reason = getattr(choice, "stop_reason", None) or self.stop_reason


class Client:
    """Sends requests to one server.

    `vocab_size` is what token ids are taken modulo; None to send text.
    """

    def __init__(
        self,
        api: "AsyncOpenAI",
        model: str,
        vocab_size: int | None,
        *,
        ignore_eos: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.api, self.model, self.vocab_size = api, model, vocab_size
        self.ignore_eos = ignore_eos
        self.clock = clock

    @property
    def sends(self) -> str:
        """How prompts are sent, in words."""
        if self.vocab_size is None:
            return "prompts are sent as text: a word for each token of the workload"
        return f"prompts are sent as token ids, modulo {self.vocab_size:,}"

    async def send(self, planned: Planned, start: float) -> Line:
        """Send one request and read its whole answer.

        It never raises: what goes wrong, also a cancellation, is in the line.
        """
        answer, sent = _Answer(), self.clock()
        status, error, message = await self._ask(planned, answer)
        over = self.clock()
        request, usage = planned.request, answer.usage
        details = getattr(usage, "prompt_tokens_details", None)
        times = answer.times
        return Line(
            planned.index,
            status,
            sent - start,
            over - start,
            planned.due_s,
            times[0] - start if times else None,
            tuple(after - before for before, after in pairwise(times)),
            None if self.vocab_size is None else len(request.prompt),
            planned.max_tokens,
            getattr(usage, "prompt_tokens", None),
            getattr(details, "cached_tokens", None),
            getattr(usage, "completion_tokens", None),
            answer.finish_reason,
            error,
            message,
            request.label,
            planned.session,
            planned.turn,
            request.namespace[1] if request.namespace else None,
        )

    async def _ask(
        self, planned: Planned, answer: _Answer
    ) -> tuple[Status, str | None, str | None]:
        """Read a stream; return its status, and the kind and message of an error."""
        import asyncio

        import openai

        try:
            stream = await self.api.completions.create(**self._body(planned))
            async with stream:
                async for chunk in stream:
                    answer.take(chunk, self.clock())
        except asyncio.CancelledError:
            return "aborted", None, None
        except openai.OpenAIError as fault:
            return "failed", kind_of(fault), _one_line(fault)
        except Exception as fault:  # a broken stream: httpx's errors, bad JSON
            return "failed", _kind_of_stream(fault), _one_line(fault)
        if answer.finish_reason is None:
            return "failed", "cut off", "the stream ended without a finish_reason"
        if answer.stop_reason in CUT:
            return "failed", f"cut by the server: {answer.stop_reason}", None
        return "finished", None, None

    def _body(self, planned: Planned) -> dict[str, Any]:
        request = planned.request
        more: dict[str, Any] = {"ignore_eos": True} if self.ignore_eos else {}
        if request.namespace:
            more["cache_salt"] = request.namespace[1]
        return {
            "model": self.model,
            "prompt": self.prompt(request.prompt.tolist()),
            "max_tokens": planned.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            "extra_body": more,
        }

    def prompt(self, token_ids: list[int]) -> list[int] | str:
        """Return a prompt as it is sent."""
        if self.vocab_size is not None:
            return [token % self.vocab_size for token in token_ids]
        return " ".join(map(word, token_ids))


def word(token_id: int) -> str:
    """Write a token id as a word of letters, as short as it can be.

    >>> word(0), word(27), word(127_999)
    ('a', 'bb', 'hhjb')
    """
    letters = ""
    while True:
        token_id, rest = divmod(token_id, 26)
        letters = chr(ord("a") + rest) + letters
        if not token_id:
            return letters


def api_url(url: str) -> str:
    """Complete what a person types to the address of OpenAI's API.

    >>> api_url("localhost:8000")
    'http://localhost:8000/v1'
    """
    return metrics_url(url).removesuffix("/metrics") + "/v1"


async def connect(
    api: "AsyncOpenAI",
    model: str | None = None,
    *,
    as_text: bool | None = None,
    vocab_size: int | None = None,
    ignore_eos: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Client:
    """Ask a server for its model, and find out whether it takes token ids.

    With `as_text`, the client sends text, and without it token ids; if it is None, the client sends
    token ids if the server takes them. Raises `LoadError` if the server does not answer.
    """
    import openai

    try:
        name = model or (await api.models.list()).data[0].id
        size = None if as_text else vocab_size or await _largest_vocabulary(api, name)
    except IndexError:
        raise LoadError(f"{api.base_url}: the server has no model") from None
    except openai.OpenAIError as fault:
        raise LoadError(f"{api.base_url}: {kind_of(fault)}: {_one_line(fault)}") from None
    if size is None and as_text is False:
        raise LoadError(f"{api.base_url}: the server takes no token ids")
    return Client(api, name, size, ignore_eos=ignore_eos, clock=clock)


async def _largest_vocabulary(api: "AsyncOpenAI", model: str) -> int | None:
    """Try one token id of each size; return None if the server refuses them all."""
    import openai

    for size in VOCABULARIES:
        try:
            await api.completions.create(model=model, prompt=[size - 1], max_tokens=1)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            continue
        except openai.InternalServerError:  # some servers fail where they should refuse
            continue
        return size
    return None


def kind_of(fault: Exception) -> str:
    """Name the kind of an error, such as `429 queue_full`, for counting."""
    import openai

    if isinstance(fault, openai.APITimeoutError):
        return "timeout"
    if isinstance(fault, openai.APIConnectionError):
        return "connection"
    if isinstance(fault, openai.APIStatusError):
        return f"{fault.status_code} {fault.code or ''}".rstrip()
    code = getattr(fault, "code", None)
    return f"error in the stream {code or ''}".rstrip()


def _kind_of_stream(fault: Exception) -> str:
    is_timeout = "timeout" in type(fault).__name__.lower()
    return "timeout" if is_timeout else "cut off"


def _one_line(fault: Exception) -> str:
    text = " ".join(str(fault).split()) or type(fault).__name__
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
