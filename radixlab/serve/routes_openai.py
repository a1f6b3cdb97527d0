"""OpenAI's endpoints: completions, chat completions, models."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from radixlab.cache.tokens import TokenArray
from radixlab.escape import count
from radixlab.events import Namespace
from radixlab.serve.bodies import ChatBody, CompletionBody, Sampling
from radixlab.serve.direct import Endpoint
from radixlab.serve.errors import bad_request
from radixlab.serve.job import Job
from radixlab.serve.replies import ChatCompletion, Completion, Model, ModelList, errors
from radixlab.serve.reply import Reply
from radixlab.serve.sampling import asked_tokens, sampling_params
from radixlab.serve.shapes import ChatShape, CompletionShape, Shape
from radixlab.serve.state import State, entry_of, state_of

router = APIRouter(prefix="/v1")
DEFAULT_TOKENS = 16
"""Tokens of a completion that does not say how many, as OpenAI has it; a chat gets all the room."""
UNREAD = 2**62
"""The most unread tokens of an answer that is not streamed: its route reads at once."""
SESSION = "x-session-id"
"""The header with a client's name for its conversation, as Ray Serve calls it."""
EVENTS: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}


def endpoints() -> dict[str, Endpoint]:
    """Return by path what `direct.py` calls; the routes below document the same functions."""
    return {
        "/v1/completions": Endpoint(CompletionBody, completions),
        "/v1/chat/completions": Endpoint(ChatBody, chat_completions),
    }


def _documented(model: type) -> dict[int | str, dict[str, Any]]:
    ok = {"model": model, "content": EVENTS}
    return {200: ok, **errors(400, 401, 404, 408, 413, 429, 500, 503, 504)}


@router.post("/completions", responses=_documented(Completion))
async def completions(body: CompletionBody, request: Request) -> Response:
    """Continue one or several prompts."""
    state = state_of(request)
    model = state.check_model(body.model)
    num_prompts = len(body.prompt) if _is_list(body.prompt) else 1
    _check_answers(state, body, num_prompts)  # before a million texts are tokenised
    prompts = await state.prompts.of_completion(body)
    shape = CompletionShape(model, state.prompts.texts, _has_usage(body))
    return await _reply(request, state, body, prompts, DEFAULT_TOKENS, shape)


@router.post("/chat/completions", responses=_documented(ChatCompletion))
async def chat_completions(body: ChatBody, request: Request) -> Response:
    """Answer a conversation."""
    state = state_of(request)
    model = state.check_model(body.model)
    _check_answers(state, body, 1)
    prompt = await state.prompts.of_chat(body.messages)
    prompts = [state.prompts.check(prompt, "messages")]
    shape = ChatShape(model, state.prompts.tokenizer, bool(body.stream), _has_usage(body))
    return await _reply(request, state, body, prompts, None, shape)


@router.get("/models", responses=errors(401, 408, 413))
async def models(request: Request) -> ModelList:
    """List the names of the model."""
    state = state_of(request)
    data = [_model(state, name) for name in state.settings.names]
    return ModelList(object="list", data=data)


@router.get("/models/{name:path}", responses=errors(401, 404, 408, 413))
async def model(name: str, request: Request) -> Model:
    """Describe the model by one of its names."""
    state = state_of(request)
    return _model(state, state.check_model(name))


def _model(state: State, name: str) -> Model:
    most = state.prompts.most_tokens if state.llm.state == "ready" else None
    created = state.started
    return Model(id=name, object="model", created=created, owned_by="radixlab", max_model_len=most)


async def _reply(
    request: Request,
    state: State,
    body: CompletionBody | ChatBody,
    prompts: list[TokenArray],
    default: int | None,
    shape: Shape,
) -> Response:
    """Make the jobs of a request, and what answers it."""
    settings, entry = state.settings, entry_of(request)
    n = body.n or 1
    if body.stream_options and not body.stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    known = state.prompts
    max_tokens = known.max_tokens(prompts, asked_tokens(body), default)
    params = sampling_params(body, max_tokens, known.defaults, known.vocab_size)
    mailbox = state.llm.mailbox()
    if not body.stream:
        mailbox.most_unread = UNREAD
    session = request.headers.get(SESSION) or body.prompt_cache_key
    shared = (mailbox, entry.arrived, session, bool(body.stream))
    jobs = [
        Job(prompt, params, n, _namespace(body), index * n, *shared)
        for index, prompt in enumerate(prompts)
    ]
    entry.id = shape.id
    entry.prompt_tokens = sum(map(len, prompts))
    if state.log.wants_bodies:
        entry.body = await request.json()
    return Reply(
        state.llm,
        jobs,
        shape,
        entry,
        state.log,
        deadline=entry.arrived + settings.request_timeout,
        is_stream=bool(body.stream),
        has_usage=_has_usage(body),
        is_counting=bool(body.stream_options and body.stream_options.continuous_usage_stats),
    )


def _is_list(prompt: Any) -> bool:
    """Whether a completion has several prompts; a list of numbers is one."""
    return isinstance(prompt, list) and not isinstance(prompt[0], int)


def _check_answers(state: State, body: Sampling, num_prompts: int) -> None:
    """Refuse a request for more answers than one may have."""
    n, most = body.n or 1, state.settings.max_answers
    if n * num_prompts > most:
        raise bad_request(
            f"{count(num_prompts, 'prompt')} with {count(n, 'answer')} each: "
            f"a request may have at most {count(most, 'answer')}.",
            "n",
        )


def _has_usage(body: Sampling) -> bool:
    return bool(body.stream and body.stream_options and body.stream_options.include_usage)


def _namespace(body: Sampling) -> Namespace | None:
    """Return whose cached prefixes the request shares: those of its salt, or of all without one."""
    return None if body.cache_salt is None else ("salt", body.cache_salt)
