"""A server that speaks OpenAI's API and answers as each test asks: well, badly, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route


def error(status: int, code: str | None = None) -> JSONResponse:
    kind = {"message": "no", "type": "x", "param": None, "code": code}
    return JSONResponse({"error": kind}, status)


class Peer:
    """`behave` maps the number of a completion, from 0, to what happens; `ok` by default."""

    def __init__(self, behave: dict[int, str] | None = None, vocab_size: int | None = 1000) -> None:
        self.behave, self.vocab_size = behave or {}, vocab_size
        self.bodies: list[dict] = []
        """Of all streamed completions."""
        routes = [
            Route("/v1/models", self._models),
            Route("/v1/completions", self._complete, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    @asynccontextmanager
    async def api(self) -> AsyncIterator[AsyncOpenAI]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with AsyncOpenAI(
            base_url="http://peer/v1",
            api_key="none",
            max_retries=0,
            http_client=httpx.AsyncClient(transport=transport),
        ) as api:
            yield api

    async def _models(self, request: Request) -> JSONResponse:
        model = {"id": "m", "object": "model", "created": 0, "owned_by": "x"}
        return JSONResponse({"object": "list", "data": [model]})

    async def _complete(self, request: Request):
        body = await request.json()
        ids = body["prompt"] if isinstance(body["prompt"], list) else []
        if ids and (self.vocab_size is None or max(ids) >= self.vocab_size):
            return error(400)
        if not body.get("stream"):
            choice = {"index": 0, "text": "a", "finish_reason": "length", "logprobs": None}
            return JSONResponse(
                {
                    "id": "c",
                    "object": "text_completion",
                    "created": 0,
                    "model": "m",
                    "choices": [choice],
                }
            )
        number = len(self.bodies)
        self.bodies.append(body)
        how = self.behave.get(number, "ok")
        if how.isdecimal():
            return error(int(how), {"400": "context_length_exceeded"}.get(how))
        if how == "hang":
            await asyncio.Event().wait()
        return StreamingResponse(self._stream(body, how), media_type="text/event-stream")

    async def _stream(self, body: dict, how: str) -> AsyncIterator[str]:
        number = body["max_tokens"]
        for index in range(number):
            is_last = index == number - 1
            choice = {"index": 0, "text": "a", "logprobs": None, "finish_reason": None}
            if is_last and how != "no end":
                choice["finish_reason"] = "length"
                choice["stop_reason"] = "timeout" if how == "cut" else None
            yield event({"choices": [choice]})
            if how == "error event":
                yield f"data: {json.dumps({'error': {'message': 'broken', 'code': 'x'}})}\n\n"
                return
            if how == "no json":
                yield "data: {\n\n"
                return
        usage = {
            "prompt_tokens": len(body["prompt"]),
            "completion_tokens": number,
            "total_tokens": 0,
        }
        if how != "no details":
            usage["prompt_tokens_details"] = {"cached_tokens": 1}
        if how != "no usage":
            yield event({"choices": [], "usage": usage})
        yield "data: [DONE]\n\n"


def event(fields: dict) -> str:
    base = {"id": "c", "object": "text_completion", "created": 0, "model": "m"}
    return f"data: {json.dumps(base | fields)}\n\n"


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        for _ in range(300):  # the requests in flight go on, and take no time
            await asyncio.sleep(0)
        self.now += seconds
