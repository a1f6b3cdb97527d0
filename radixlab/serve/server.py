"""The application: routes behind limits, with every error in OpenAI's shape."""

import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.responses import Response

import radixlab
from radixlab.serve import routes_openai, routes_tools
from radixlab.serve.access_log import AccessLog, Logged
from radixlab.serve.backend import Backend
from radixlab.serve.direct import Direct
from radixlab.serve.errors import ApiError, bad_request
from radixlab.serve.limits import Limits
from radixlab.serve.metrics import Metrics
from radixlab.serve.settings import Settings
from radixlab.serve.state import State

TYPES = ("str", "int", "TextPart")
"""Types in the unions of `bodies.py`."""


def create_app(
    llm: Backend,
    settings: Settings,
    write_line: Callable[[str], object] | None = None,
    collectors: Iterable[Collector] = (),
) -> FastAPI:
    """Return the application; its start and end are those of the engine's thread.

    `write_line` gets each line of the access log. `collectors` add to the metrics.
    """
    log = AccessLog(write_line, settings.log_json, settings.log_prompts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        llm.start()
        try:
            yield
        finally:
            await llm.stop()
            log.close()

    app = FastAPI(
        title="radixlab",
        version=radixlab.__version__,
        description="OpenAI's API over one engine with a prefix cache.",
        lifespan=lifespan,
        redirect_slashes=False,  # a redirect would name whatever host the client has claimed
    )
    app.state.radixlab = State(llm, settings, log, int(time.time()))
    app.state.metrics = Metrics(llm, _cache_info(settings), collectors)
    app.include_router(routes_openai.router)
    app.include_router(routes_tools.router)
    app.include_router(routes_tools.operators)
    if settings.debug:
        app.include_router(routes_tools.debug)
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_fault)
    app.add_middleware(Direct, endpoints=routes_openai.endpoints(), on_invalid=_on_invalid)
    app.add_middleware(Limits, settings=settings, operator_paths=routes_tools.operator_paths())
    app.add_middleware(Logged, log=log)
    return app


def _cache_info(settings: Settings) -> dict[str, str]:
    names = ("num_blocks", "block_size", "policy", "swap_space")
    return {name: str(getattr(settings, name)) for name in names}


async def _on_api_error(request: Request, error: Any) -> Response:
    response: Response = error.response()
    return response


async def _on_http_error(request: Request, error: Any) -> Response:
    messages = {
        404: f"Unknown path: {request.url.path}.",
        405: f"{request.method} is not allowed here.",
    }
    message = messages.get(error.status_code, str(error.detail))
    return ApiError(error.status_code, message, headers=error.headers).response()


async def _on_invalid(request: Request, error: Any) -> Response:
    """Refuse a body that does not have the documented form; name the field."""
    first = error.errors()[0]
    kind, (_, *path) = first["type"], first["loc"]
    param = _param(path)
    if kind == "json_invalid":
        return bad_request("The body is not valid JSON.", code="invalid_json").response()
    if kind == "unsupported":
        param = ".".join(filter(None, (param, first["ctx"]["field"])))
        return bad_request(f"{first['msg']}", param).response()
    if kind == "invalid_key":
        return bad_request("The name of a field is not a text.").response()
    if not path:
        hint = "The body must be a JSON object, sent with 'Content-Type: application/json'."
        return bad_request(hint).response()
    if kind == "extra_forbidden":
        return bad_request(f"Unrecognized request argument supplied: {param}", param).response()
    if kind == "missing":
        return bad_request(f"You must provide '{param}'.", param).response()
    return bad_request(f"Invalid '{param}': {first['msg']}.", param).response()


def _param(path: list[Any]) -> str | None:
    """Return a field's name as OpenAI writes it, such as `messages[0].content`.

    Pydantic adds the names of the types that it tried, which no client knows.
    """
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part}]"
        elif not name or (part.isidentifier() and part not in TYPES):
            name += f".{part}" if name else str(part)
    return name or None


async def _on_fault(request: Request, error: Exception) -> Response:
    """Answer for a fault of ours; where it arose goes to stderr.

    The exception's own words do not, because they may hold the text of a prompt.
    """
    traceback.print_tb(error.__traceback__)
    print(f"error: a fault of the server: {type(error).__name__}", file=sys.stderr, flush=True)
    return ApiError(500, "The server had an error. See its log.").response()
