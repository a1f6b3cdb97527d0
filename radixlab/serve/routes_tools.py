"""Endpoints for operators and tools: health, readiness, metrics, the cache, the tokenizer."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from radixlab.cache.errors import CacheError
from radixlab.llm import LLM
from radixlab.observe import snapshot, state_to_json
from radixlab.serve.bodies import DetokenizeBody, TokenizeBody
from radixlab.serve.errors import ApiError, bad_request, not_ready
from radixlab.serve.mailbox import EngineError
from radixlab.serve.replies import Text, Tokens, errors
from radixlab.serve.state import state_of

router = APIRouter()
operators = APIRouter()
"""Shows or changes what all clients share: every route here needs the operator's key, if one is
set."""
debug = APIRouter()
"""The same, and only offered where the settings say so."""
METRICS = "text/plain; version=0.0.4; charset=utf-8"


def operator_paths() -> list[str]:
    """List the paths that clients have no business with."""
    return [route.path for route in (*operators.routes, *debug.routes) if isinstance(route, Route)]


@router.get("/health", responses=errors(503))
async def health(request: Request) -> dict[str, str]:
    """Say whether the process works: 503 when the engine has failed."""
    llm = state_of(request).llm
    if llm.state in ("failed", "stopped"):
        raise not_ready("The engine has failed.")
    return {"status": "ok"}


@router.get("/ready", responses=errors(503))
async def ready(request: Request) -> dict[str, str]:
    """Say whether a request would be answered now: the model is loaded, the queue is not full."""
    why = state_of(request).llm.why_not_ready
    if why is not None:
        raise not_ready(f"Not ready: {why}.")
    return {"status": "ready"}


@operators.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **errors(401, 403)},
)
async def metrics(request: Request) -> Response:
    """Return all metrics in Prometheus's text format."""
    await state_of(request).llm.refresh()
    return Response(request.app.state.metrics.text(), media_type=METRICS)


@operators.post("/reset_prefix_cache", responses=errors(401, 403, 408, 409, 413, 503))
async def reset_prefix_cache(request: Request) -> dict[str, str]:
    """Empty the cache; 409 while requests run."""
    try:
        await state_of(request).llm.reset()
    except CacheError as error:
        raise ApiError(409, f"{error}.", code="requests_running") from None
    except EngineError as error:
        raise not_ready(str(error)) from None
    return {"status": "ok"}


@router.post("/tokenize", responses=errors(400, 401, 404, 408, 413, 503))
async def tokenize(body: TokenizeBody, request: Request) -> Tokens:
    """Return the tokens of a prompt or a conversation."""
    state = state_of(request)
    state.check_model(body.model)
    if (body.prompt is None) == (body.messages is None):
        raise bad_request("Send either 'prompt' or 'messages'.", "prompt")
    tokens = await state.prompts.of_text(
        body.messages, body.prompt or "", body.add_special_tokens, body.add_generation_prompt
    )
    listed = tokens.tolist()
    known = state.prompts.tokenizer.vocabulary
    strs = [known.id_to_token(token) or "" for token in listed] if body.return_token_strs else None
    most = state.prompts.most_tokens
    return Tokens(count=len(listed), max_model_len=most, tokens=listed, token_strs=strs)


@router.post("/detokenize", responses=errors(400, 401, 404, 408, 413, 503))
async def detokenize(body: DetokenizeBody, request: Request) -> Text:
    """Return the text of tokens."""
    state = state_of(request)
    state.check_model(body.model)
    return Text(prompt=await state.prompts.text(body.tokens))


@debug.get("/debug/cache", responses=errors(401, 403, 503))
async def cache(request: Request) -> JSONResponse:
    """Return the cache as text and as a snapshot that the view can open.

    A server with replicas returns `{"replicas": […]}` with one such object for each live replica,
    even if there is only one or none.
    """
    state = state_of(request)
    try:
        found = await state.llm.call_each(_cache)
    except EngineError as error:
        raise not_ready(str(error)) from None
    return JSONResponse(as_told(found, state.settings.replicas))


def as_told(found: list[dict[str, Any]], num_wanted: int) -> dict[str, Any]:
    """Return what `/debug/cache` says of these caches, on a server of `num_wanted` engines.

    The shape follows from how the server was started. It does not follow from how many live.
    """
    return {"replicas": found} if num_wanted > 1 else found[0]


def _cache(llm: LLM) -> dict[str, Any]:
    from radixlab.viz.text import summary

    state = snapshot(llm.manager)
    return {"summary": summary(state), "snapshot": state_to_json(state)}
