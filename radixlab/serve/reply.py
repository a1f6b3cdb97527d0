"""The life of one answered request: submit, wait for news, send it, and clean up whatever happens.

    submit ─► news ─► whole answer, or chunks of a stream ─► one line in the access log

A request may end early in five ways: the client leaves, the time is over, the server stops, the
reader is too slow, or the engine dies. Before the first byte is sent, this gives a status; after
it, a stream ends with a last chunk that has a `finish_reason`, or with an error event.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from radixlab.serve.access_log import AccessLog, Entry
from radixlab.serve.backend import Backend, QueueFullError
from radixlab.serve.errors import ApiError, bad_request, not_ready
from radixlab.serve.job import Job
from radixlab.serve.mailbox import (
    Begun,
    EndedError,
    EngineError,
    GoneError,
    Mailbox,
    News,
    Part,
    RejectedError,
    ShutdownError,
    TimedOutError,
    TooSlowError,
)
from radixlab.serve.shapes import DONE, Choice, Shape

STALL_S = 5.0
"""Seconds that a client gets to read the end of a stream that was ended early."""
STOPPED_BY = {TimedOutError: "timeout", ShutdownError: "shutdown"}
"""`stop_reason` of answers that were cut; their `finish_reason` is "length"."""


class Reply(Response):
    """Answers one request; an ASGI application."""

    def __init__(
        self,
        llm: Backend,
        jobs: list[Job],
        shape: Shape,
        entry: Entry,
        log: AccessLog,
        *,
        deadline: float,
        is_stream: bool,
        has_usage: bool,
        is_counting: bool = False,
    ) -> None:
        super().__init__()
        self._llm, self._jobs, self._shape = llm, jobs, shape
        self._entry, self._log = entry, log
        self._deadline, self._is_stream, self._has_usage = deadline, is_stream, has_usage
        self._is_counting = has_usage and is_counting
        self._mailbox: Mailbox = jobs[0].mailbox
        self._choices = [Choice() for job in jobs for _ in range(job.n)]
        self._num_left = len(self._choices)
        self._num_cached_tokens = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        loop, mailbox = asyncio.get_running_loop(), self._mailbox
        try:
            self._llm.submit(self._jobs)
        except QueueFullError as error:
            raise ApiError(
                429,
                f"The server is busy: {error}.",
                code="queue_full",
                headers={"Retry-After": "1"},
            ) from None
        except EngineError as error:
            raise not_ready(f"{error}") from None
        watcher = asyncio.ensure_future(self._watch(receive))
        left_s = self._deadline - time.monotonic()
        timer = loop.call_later(left_s, mailbox.close, TimedOutError("the time is over"))
        writer = asyncio.current_task()
        assert writer is not None
        stalls: list[asyncio.TimerHandle] = []
        mailbox.on_close.append(lambda _: stalls.append(loop.call_later(STALL_S, writer.cancel)))
        try:
            await (
                self._send_stream(scope, send) if self._is_stream else self._send_whole(scope, send)
            )
        except GoneError:
            pass  # nobody is there to be answered
        finally:
            if self._num_left:
                mailbox.close(GoneError("the client left"))
            watcher.cancel()
            for handle in (timer, *stalls):
                handle.cancel()
            self._llm.forget(mailbox)
            self._finish_entry()

    async def _watch(self, receive: Receive) -> None:
        """End the request when the client closes the connection."""
        while (await receive())["type"] != "http.disconnect":
            pass
        if self._num_left:
            self._mailbox.close(GoneError("the client left"))

    # ---- one answer

    async def _send_whole(self, scope: Scope, send: Send) -> None:
        try:
            while self._num_left:
                for each in await self._mailbox.get():
                    self._read(each)
        except GoneError:
            raise
        except EndedError as why:
            raise _error_of(why) from None
        body = self._shape.whole(self._choices, self._usage())
        response = JSONResponse(body, headers={"x-request-id": self._shape.id})
        await send({"type": "http.response.start", "status": 200, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": response.body})
        self._entry.status = 200
        self._log_body()

    # ---- a stream

    async def _send_stream(self, scope: Scope, send: Send) -> None:
        try:
            body = self._chunks(await self._mailbox.get())
        except GoneError:
            raise
        except EndedError as why:
            raise _error_of(why) from None
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", self._shape.id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self._entry.status = 200
        first = b"".join(self._shape.first(index) for index in range(len(self._choices)))
        send = scope.get("radixlab.send", send)
        await send({"type": "http.response.body", "body": first + body, "more_body": True})
        try:
            while self._num_left:
                if body := self._chunks(await self._mailbox.get()):
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            last = self._last_chunks()
        except EndedError as why:
            last = self._ended_chunks(why)
        await send({"type": "http.response.body", "body": last})

    def _chunks(self, news: Iterable[News]) -> bytes:
        """Return what a stream sends for news; nothing for the beginning of an answer."""
        chunks = []
        for each in news:
            if isinstance(each, Part):
                chunks.append(self._shape.chunk(each, self._choices[each.index]))
                self._take(each)
                if self._is_counting:
                    chunks[-1] = self._counted(chunks[-1])
            elif isinstance(each, Begun):
                self._begin(each)
        return b"".join(chunks)

    def _counted(self, chunk: bytes) -> bytes:
        """Write the usage so far into a chunk, which has a gap for it in its head."""
        return chunk.replace(b'"usage":null', b'"usage":' + json.dumps(self._usage()).encode(), 1)

    def _last_chunks(self) -> bytes:
        self._log_body()
        usage = self._shape.usage_chunk(self._usage()) if self._has_usage else b""
        return usage + DONE

    def _ended_chunks(self, why: EndedError) -> bytes:
        """Return how a stream ends whose answers were cut."""
        reason = STOPPED_BY.get(type(why))
        if reason is None:
            if isinstance(why, GoneError | TooSlowError):
                raise why
            return f"data: {json.dumps(_error_of(why).body())}\n\n".encode()
        parts = [
            Part(index, [], "", "length", reason)
            for index, choice in enumerate(self._choices)
            if choice.finish_reason is None
        ]
        return self._chunks(parts) + self._last_chunks()

    # ---- both

    def _read(self, news: News) -> None:
        if isinstance(news, Part):
            self._take(news)
        elif isinstance(news, Begun):
            self._begin(news)

    def _begin(self, begun: Begun) -> None:
        self._entry.begin(begun)
        self._num_cached_tokens += begun.num_cached_tokens

    def _take(self, part: Part) -> None:
        choice = self._choices[part.index]
        if part.token_ids and self._entry.first_token_s is None:
            self._entry.first_token_s = time.monotonic() - self._entry.arrived
        choice.num_tokens += len(part.token_ids)
        choice.num_characters += len(part.text)
        if not self._is_stream:
            choice.text.append(part.text)
            if part.logprobs is not None:
                choice.logprobs = [*(choice.logprobs or ()), *part.logprobs]
        if part.error:
            raise EngineError(part.error)
        if part.finish_reason:
            choice.finish_reason, choice.stop_reason = part.finish_reason, part.stop_reason
            self._num_left -= 1

    def _usage(self) -> dict[str, Any]:
        prompt = sum(len(job.prompt) for job in self._jobs)
        completion = sum(choice.num_tokens for choice in self._choices)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": self._num_cached_tokens},
        }

    def _log_body(self) -> None:
        self._log.prompt(self._entry, self._usage())

    def _finish_entry(self) -> None:
        entry = self._entry
        entry.completion_tokens = sum(choice.num_tokens for choice in self._choices)
        reasons = dict.fromkeys(choice.finish_reason or "abort" for choice in self._choices)
        entry.finish_reason = ",".join(reasons)


def _error_of(why: EndedError) -> ApiError:
    """Return what a client gets whose request ended early, if nothing was sent yet."""
    if isinstance(why, TimedOutError):
        return ApiError(504, "The request took too long.", code="timeout")
    if isinstance(why, ShutdownError):
        return not_ready("The server is shutting down.")
    if isinstance(why, RejectedError):
        return bad_request(str(why))
    return ApiError(500, str(why))
