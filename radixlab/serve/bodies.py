"""The bodies of requests, field by field, as OpenAI's API and vLLM's extensions name them.

A field that this server does not know is refused by name, as on OpenAI's server. A field that it
knows but cannot honour is refused too, unless its value asks for nothing (`NEUTRAL`). A few fields
are accepted and change no answer, neither here nor at OpenAI; their comments say so.

A wrong list is refused at its first wrong item, and only one unknown field is named: a body of a
few megabytes can hold a million faults, and a list of them would stop the event loop for everyone.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "best_of": (1,),
    "echo": (False,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "modalities": (["text"],),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "suffix": ("",),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "verbosity": (),
    "web_search_options": (),
}
"""Fields that cannot be honoured, each with the values that ask for nothing; null always does."""
NEUTRAL_IN_MESSAGE: dict[str, tuple[Any, ...]] = {
    "annotations": ([],),
    "audio": (),
    "function_call": (),
    "refusal": (),
    "tool_call_id": (),
    "tool_calls": ([],),
}


def _encodable(text: str) -> str:
    """Refuse half characters, which JSON can hold but no encoding can write."""
    if not text.isascii():
        text.encode()
    return text


Salt = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=r"^[^@/\\\x00]+$"),
    AfterValidator(_encodable),
]
Bias = Annotated[float, Field(ge=-100, le=100)]
Id = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
MOST_NAMED = 1024
"""Most tokens that `logit_bias` or `stop_token_ids` may name."""
MOST_METADATA = 16
"""Most pairs of `metadata`, as OpenAI has it."""
Some = Field(min_length=1, fail_fast=True)
Ids = Annotated[list[Id], Some]


def without_neutral(body: Any, neutral: dict[str, tuple[Any, ...]]) -> Any:
    """Leave out what asks for nothing; raise for a field that cannot be honoured."""
    if not isinstance(body, dict):
        return body
    for name in neutral.keys() & body.keys():
        value = body[name]
        if value is not None and not any(_same(value, each) for each in neutral[name]):
            raise PydanticCustomError(
                "unsupported", "This server does not support '{field}'.", {"field": name}
            )
    return {name: value for name, value in body.items() if name not in neutral}


def bounded(given: Any, most: int) -> Any:
    """Refuse an object with too many names before any of its values is read."""
    if isinstance(given, dict) and len(given) > most:
        raise PydanticCustomError(
            "too_many",
            "It has {size} names, at most {most} are allowed",
            {"size": len(given), "most": most},
        )
    return given


def _same(value: Any, other: Any) -> bool:
    """Whether two values of JSON are the same; True is not 1."""
    return type(value) is type(other) and bool(value == other)


class Body(BaseModel):
    """What all bodies have in common: strict types, and no unknown field."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _keep_one_unknown(cls, body: Any) -> Any:
        if not isinstance(body, dict) or len(body) <= len(cls.model_fields):
            return body
        unknown = [name for name in body if name not in cls.model_fields]
        return {name: body[name] for name in (*(cls.model_fields.keys() & body.keys()), unknown[0])}


class StreamOptions(Body):
    """How a stream is sent."""

    include_usage: bool | None = None
    """Send a last chunk with the usage."""
    continuous_usage_stats: bool | None = None
    """Then every chunk says the usage so far, as vLLM has it; load tools count tokens by it."""
    include_obfuscation: Literal[False] | None = None


class Sampling(Body):
    """What completions and chats have in common."""

    model: str
    max_tokens: Count | None = None
    temperature: float | None = Field(None, ge=0)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1)
    """-1 or 0 for all tokens."""
    min_p: float | None = Field(None, ge=0, le=1)
    min_tokens: int | None = Field(None, ge=0, lt=2**31)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, ge=0.001, le=1000)
    logit_bias: (
        Annotated[dict[str, Bias], BeforeValidator(lambda given: bounded(given, MOST_NAMED))] | None
    ) = None
    """Token ids, written as text because they are names in JSON, and what is added to each."""
    stop_token_ids: Annotated[list[Id], Field(max_length=MOST_NAMED, fail_fast=True)] | None = None
    n: int | None = Field(None, ge=1, le=128)
    seed: int | None = Field(None, ge=-(2**63), lt=2**64)
    stop: str | Annotated[list[str], Field(max_length=16, fail_fast=True)] | None = None
    ignore_eos: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    cache_salt: Salt | None = None
    """The request shares cached prefixes only with requests of the same salt."""
    user: str | None = None
    """Changes nothing."""
    safety_identifier: str | None = None
    """Changes nothing."""
    metadata: (
        Annotated[dict[str, str], BeforeValidator(lambda given: bounded(given, MOST_METADATA))]
        | None
    ) = None
    """Changes nothing."""
    prompt_cache_key: str | None = None
    """Changes no answer: it helps to choose a replica, as at OpenAI."""
    prompt_cache_retention: str | None = None
    """Changes nothing."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unsupported(cls, body: Any) -> Any:
        return without_neutral(body, NEUTRAL)


class CompletionBody(Sampling):
    """The body of `POST /v1/completions`."""

    prompt: str | Annotated[list[str], Some] | Ids | Annotated[list[Ids], Some]
    """A text, a list of texts, token ids, or a list of lists of token ids."""
    logprobs: int | None = Field(None, ge=0, le=20)
    """How many of the likeliest tokens to list for each token; 0 for the chosen one alone."""

    @property
    def num_logprobs(self) -> int | None:
        """How many of the likeliest tokens to list; None for no log probabilities."""
        return self.logprobs


class TextPart(Body):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class Message(Body):
    """A turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(fail_fast=True)] | None = None
    name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_unsupported(cls, body: Any) -> Any:
        return without_neutral(body, NEUTRAL_IN_MESSAGE)

    def plain(self) -> dict[str, Any]:
        """Return the turn as a chat template reads it."""
        content = self.content
        if isinstance(content, list):
            content = "\n".join(part.text for part in content)
        role = "system" if self.role == "developer" else self.role
        turn = {"role": role, "content": content}
        return turn if self.name is None else {**turn, "name": self.name}


class ChatBody(Sampling):
    """The body of `POST /v1/chat/completions`."""

    messages: Annotated[list[Message], Some]
    max_completion_tokens: Count | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)

    @property
    def num_logprobs(self) -> int | None:
        """How many of the likeliest tokens to list; None for no log probabilities."""
        return (self.top_logprobs or 0) if self.logprobs else None


class TokenizeBody(Body):
    """The body of `POST /tokenize`: a prompt or a conversation."""

    model: str | None = None
    prompt: str | None = None
    messages: Annotated[list[Message], Some] | None = None
    add_special_tokens: bool | None = None
    """By default true for a prompt, and false for a conversation."""
    add_generation_prompt: bool = True
    return_token_strs: bool | None = None


class DetokenizeBody(Body):
    """The body of `POST /detokenize`."""

    model: str | None = None
    tokens: Annotated[list[Id], Field(fail_fast=True)]
