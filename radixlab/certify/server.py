"""The server under examination: how to ask it, and what is known of it.

    prompt ─► body (token ids, text or chat) ─► answer, or `RefusedError`, or `CannotTell`

This file knows OpenAI's API. It does not know what is right.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from radixlab.certify.answer import Answer, streamed, whole
from radixlab.certify.budget import Budget
from radixlab.certify.grid import Grid, Span
from radixlab.certify.http import FaultError, Http, Reply
from radixlab.certify.outcome import CannotTell
from radixlab.certify.pages import Pages
from radixlab.certify.prompts import WORDS, Form, Prompt, Prompts
from radixlab.certify.source import EventSource

COMPLETIONS, CHATS = "/v1/completions", "/v1/chat/completions"
TEMPLATE_TOKENS = 32
"""Most tokens that a chat template is taken to put around a message."""
MERGED_TOKENS = 2
"""Tokens by which the end of a text can differ when more text follows."""
WITH_USAGE: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


class RefusedError(Exception):
    """The server answered with 4xx."""

    def __init__(self, reply: Reply) -> None:
        error = reply.json.get("error") if isinstance(reply.json, dict) else None
        says = error.get("message") if isinstance(error, dict) else reply.text
        self.reply = reply
        super().__init__(f"{reply.status}: {' '.join(str(says).split())[:160]}")


@dataclass(slots=True)
class Server:
    """One server."""

    http: Http
    budget: Budget
    pages: Pages
    model: str
    seed: str
    form: Form = "ids"
    vocabulary: tuple[int, int] = WORDS
    """The least unit of a prompt, and one more than the largest."""
    max_len: int | None = None
    """Most tokens of a prompt with its answer, if the server says so."""
    adapters: tuple[str, ...] = ()
    """Models that the server lists as made from another one."""
    tokens_per_unit: float = 1.0
    limit_field: str = "max_tokens"
    has_tokenizer: bool = False
    endless: dict[str, Any] = field(default_factory=dict)
    """The fields by which an answer is as long as asked for, if the server knows any."""
    reports_cached: bool = False
    grid: Grid | None = None
    why_no_grid: str = "cached_tokens was not looked at"
    events: EventSource | None = None
    may_reset: bool = True
    patience_s: float = 30.0
    _lengths: dict[Prompt, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where prompts go."""
        return CHATS if self.form == "chat" else COMPLETIONS

    def prompts(self, name: str) -> Prompts:
        """Return a generator of prompts of its own."""
        return Prompts(f"{self.seed}/{name}", *self.vocabulary)

    def need_grid(self) -> Grid:
        """Return the grid; raise `CannotTell` if nothing is known of it."""
        if self.grid is None:
            raise CannotTell(self.why_no_grid)
        return self.grid

    # ---- asking

    def body(self, prompt: Prompt, max_tokens: int, /, **fields: Any) -> dict[str, Any]:
        """Return the body of a request."""
        sent: dict[str, Any] = {"model": self.model, "temperature": 0}
        if self.form == "chat":
            sent[self.limit_field] = max_tokens
            sent["messages"] = [{"role": "user", "content": prompt.text()}]
        else:
            sent["max_tokens"] = max_tokens
            sent["prompt"] = [*prompt.units] if self.form == "ids" else prompt.text()
        return {**sent, **fields}

    def ask(self, prompt: Prompt, max_tokens: int = 1, /, **fields: Any) -> Answer:
        """Return the answer to a prompt; raise `RefusedError` for a 4xx."""
        with self._paid(prompt, max_tokens, fields) as paid:
            reply = self.http.post(self.path, self.body(prompt, max_tokens, **fields))
            return paid(whole(_checked(reply).json, reply.headers))

    def stream(self, prompt: Prompt, max_tokens: int = 1, /, **fields: Any) -> Answer:
        """Return the streamed answer to a prompt."""
        with self._paid(prompt, max_tokens, fields) as paid:
            body = self.body(prompt, max_tokens, **fields, **WITH_USAGE)
            with self.http.stream(self.path, body) as (status, headers, events):
                self._check_stream(status, headers)
                return paid(streamed(events, headers))

    @contextmanager
    def open_stream(
        self, prompt: Prompt, max_tokens: int, /, **fields: Any
    ) -> Iterator[Iterator[Any]]:
        """Open a stream, wait for its first chunk, and close it at the end of the block."""
        with self._paid(prompt, max_tokens, fields):
            body = self.body(prompt, max_tokens, **fields, stream=True)
            with self.http.stream(self.path, body) as (status, headers, events):
                self._check_stream(status, headers)
                if next(events, None) is None:
                    raise CannotTell("the stream ended before its first chunk")
                yield events

    @contextmanager
    def _paid(
        self, prompt: Prompt, max_tokens: int, fields: dict[str, Any]
    ) -> Iterator[Callable[[Answer], Answer]]:
        """Reserve what a request can cost; give back what its usage does not name."""
        n = int(fields.get("n") or 1)
        prompt_tokens = self.most_tokens(prompt)
        reserved = prompt_tokens + n * max_tokens
        self.budget.reserve(reserved)
        self.pages.sent(n * prompt_tokens)

        def paid(answer: Answer) -> Answer:
            usage = answer.usage
            if usage.prompt_tokens is not None:
                self._lengths[prompt] = usage.prompt_tokens
                used = usage.prompt_tokens + (usage.completion_tokens or 0)
                self.budget.settle(reserved, min(used, reserved))
            return answer

        yield paid

    def _check_stream(self, status: int, headers: Any) -> None:
        if status != 200:
            _checked(Reply(status, headers, ""))

    # ---- how long prompts are

    @property
    def head(self) -> int:
        """Return how many tokens any two prompts may share: a template, or by chance."""
        return {"ids": 2, "text": 8, "chat": TEMPLATE_TOKENS}[self.form]

    def cached(self, answer: Answer) -> int:
        """Return the cached tokens of an answer; some servers leave out a 0."""
        if not self.reports_cached:
            raise CannotTell(self.why_no_grid)
        return answer.usage.cached_tokens or 0

    def most_tokens(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt has, at most; a guess before the first usage."""
        if self.form == "ids":
            return len(prompt)
        more = TEMPLATE_TOKENS if self.form == "chat" else MERGED_TOKENS
        return self._lengths.get(prompt, int(len(prompt) * self.tokens_per_unit * 1.3) + more)

    def num_units(self, num_tokens: int) -> int:
        """Return the units of a prompt of about this many tokens."""
        return max(1, round(num_tokens / self.tokens_per_unit))

    def token_ids(self, prompt: Prompt) -> list[int] | None:
        """Return the token ids that the server sees; None if it does not tell."""
        if self.form == "ids":
            return [*prompt.units]
        if not self.has_tokenizer:
            return None
        body: dict[str, Any] = {"model": self.model}
        if self.form == "chat":
            body["messages"] = [{"role": "user", "content": prompt.text()}]
        else:
            body["prompt"] = prompt.text()
        reply = self.http.post("/tokenize", body)
        found = reply.json.get("tokens") if isinstance(reply.json, dict) else None
        if reply.status != 200 or not isinstance(found, list):
            return None
        return [token for token in found if isinstance(token, int)]

    def length(self, prompt: Prompt) -> Span:
        """Return how many tokens a prompt has."""
        ids = self.token_ids(prompt)
        if ids is not None:
            return len(ids), len(ids)
        if prompt not in self._lengths:
            self.ask(prompt)
        if prompt not in self._lengths:
            raise CannotTell("neither /tokenize nor usage says how long a prompt is")
        return self._lengths[prompt], self._lengths[prompt]

    def shared(self, one: Prompt, other: Prompt) -> Span:
        """Return with how many tokens both prompts begin."""
        first, second = self.token_ids(one), self.token_ids(other)
        if first is not None and second is not None:
            same = Prompt(tuple(first)).num_shared(Prompt(tuple(second)))
            return same, same
        _, most = self.length(one.cut(one.num_shared(other)))
        less = TEMPLATE_TOKENS if self.form == "chat" else MERGED_TOKENS
        return max(0, most - less), most + MERGED_TOKENS


def _checked(reply: Reply) -> Reply:
    """Return a good reply; raise for any other."""
    if reply.status == 200:
        return reply
    if 400 <= reply.status < 500:
        raise RefusedError(reply)
    raise FaultError(f"the server answered {reply.status} to a good request")
