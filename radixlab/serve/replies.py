"""The forms of answers, for the OpenAPI document: what a client may rely on."""

from typing import Any

from pydantic import BaseModel


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class Error(BaseModel):
    """Every error has this form."""

    error: ErrorDetail


class PromptTokensDetails(BaseModel):
    """How much of the prompts was cached."""

    cached_tokens: int


class Usage(BaseModel):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails


class CompletionChoice(BaseModel):
    """One answer."""

    index: int
    text: str
    logprobs: Any = None
    finish_reason: str | None
    stop_reason: str | int | None = None


class Completion(BaseModel):
    """The answer of `POST /v1/completions`."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[CompletionChoice]
    usage: Usage


class ChatMessage(BaseModel):
    """What the assistant says."""

    role: str
    content: str
    refusal: str | None


class ChatChoice(BaseModel):
    """One answer."""

    index: int
    message: ChatMessage
    logprobs: Any = None
    finish_reason: str | None
    stop_reason: str | int | None = None


class ChatCompletion(BaseModel):
    """The answer of `POST /v1/chat/completions`."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChatChoice]
    usage: Usage


class Model(BaseModel):
    """A name by which clients ask for the model."""

    id: str
    object: str
    created: int
    owned_by: str
    max_model_len: int | None


class ModelList(BaseModel):
    """All names."""

    object: str
    data: list[Model]


class Tokens(BaseModel):
    """The answer of `POST /tokenize`."""

    count: int
    max_model_len: int
    tokens: list[int]
    token_strs: list[str] | None


class Text(BaseModel):
    """The answer of `POST /detokenize`."""

    prompt: str


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these statuses as errors."""
    return {status: {"model": Error} for status in statuses}
