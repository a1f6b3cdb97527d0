"""Errors as OpenAI's server words them: a status, and an object with message, type, param and code.

    {"error": {"message": "…", "type": "invalid_request_error", "param": "n", "code": null}}

This file knows the shape, and which of our exceptions means what. A message never holds anything
that another client has sent.
"""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "service_unavailable_error",
    504: "timeout_error",
}
"""The `type` of an error by its status."""
MOST_CHARACTERS = 400
"""Length of the longest message; the rest of a caller's value is left out."""


class ApiError(HTTPException):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, clean(message), dict(headers) if headers else None)
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        """Return the error as OpenAI words it."""
        return {
            "error": {
                "message": self.detail,
                "type": KINDS.get(self.status_code, "invalid_request_error"),
                "param": None if self.param is None else clean(self.param),
                "code": self.code,
            }
        }

    def response(self) -> JSONResponse:
        """Return the whole answer."""
        return JSONResponse(self.body(), self.status_code, self.headers)


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the refusal of a request that can never be served."""
    return ApiError(400, message, param=param, code=code)


def not_ready(why: str) -> ApiError:
    """Return the refusal of a server that is loading, draining or broken."""
    return ApiError(503, why, headers={"Retry-After": "1"})


def clean(text: str) -> str:
    r"""Return text on one line, short, and free of half characters, which no encoding can write.

    >>> clean("a \ud800\n b")
    'a ? b'
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    line = " ".join(whole.split())
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"
