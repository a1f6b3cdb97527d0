"""Calls the endpoints that a model answers directly, without FastAPI's routing.

    POST /v1/completions ─► read the body ─► completions(body, request) ─► send the answer

For each request, FastAPI looks for the route, resolves its dependencies, and opens two stacks of
exit handlers for them. These endpoints have no dependencies, and a short request should not pay for
that work. So FastAPI only documents them, and this file reads their bodies with the same models and
the same refusals. A test sends every kind of body both ways.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from email.message import Message as Mail
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from radixlab.serve.errors import ApiError, bad_request


class Endpoint(NamedTuple):
    """What answers a path."""

    body: type[BaseModel]
    function: Callable[[Any, Request], Awaitable[Response]]


class Direct:
    """ASGI middleware that calls the endpoints of some paths itself.

    `endpoints` has them by path, for POST. `on_invalid` answers for a body that does not fit.
    """

    def __init__(
        self,
        app: ASGIApp,
        endpoints: Mapping[str, Endpoint],
        on_invalid: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._on_invalid = on_invalid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        endpoint = self._endpoints.get(scope["path"]) if scope.get("method") == "POST" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            body = parsed(endpoint.body, request.headers.get("content-type"), await request.body())
            response = await endpoint.function(body, request)
            await response(scope, receive, send)
        except ApiError as error:
            await error.response()(scope, receive, send)
        except RequestValidationError as error:
            response = await self._on_invalid(request, error)
            await response(scope, receive, send)


def parsed(model: type[BaseModel], content_type: str | None, body: bytes) -> BaseModel:
    """Return a body; raise `RequestValidationError` or `ApiError` for one that does not fit."""
    value = _value(body) if body and is_json(content_type) else body
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise RequestValidationError([{**first, "loc": ("body", *first["loc"])}]) from None


def is_json(content_type: str | None) -> bool:
    """Whether a body is declared as JSON.

    >>> is_json("application/json; charset=utf-8"), is_json("application/x+json"), is_json(None)
    (True, True, False)
    """
    if content_type is None or content_type == "application/json":
        return content_type is not None
    mail = Mail()
    mail["content-type"] = content_type
    subtype = mail.get_content_subtype()
    is_application = mail.get_content_maintype() == "application"
    return is_application and (subtype == "json" or subtype.endswith("+json"))


def _value(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        fault = {"type": "json_invalid", "loc": ("body", error.pos), "msg": error.msg}
        raise RequestValidationError([fault]) from None
    except (ValueError, RecursionError):  # not UTF-8, a giant number, or nested too deeply
        raise bad_request("There was an error parsing the body") from None
