"""The forms of an answer in JSON: whole or in chunks, of a completion or of a chat.

A chunk of a stream is written as text around a few values, because a stream has one for every
token.
"""

import json
import random
import time
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quoted  # what json.dumps does with a text
from typing import Any, Protocol

import radixlab
from radixlab.model.logprobs import Logprob
from radixlab.serve import logprobs
from radixlab.serve.logprobs import Texts
from radixlab.serve.mailbox import Part

FINGERPRINT = f"radixlab-{radixlab.__version__}"
DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Choice:
    """One answer as far as it has come."""

    text: list[str] = field(default_factory=list)
    num_tokens: int = 0
    num_characters: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    """What ended the answer, where OpenAI's `finish_reason` cannot say it."""
    logprobs: list[Logprob] | None = None


class Shape(Protocol):
    """How one endpoint writes its answers."""

    id: str

    def whole(self, choices: list[Choice], usage: dict[str, Any]) -> dict[str, Any]:
        """Return the whole answer."""

    def first(self, index: int) -> bytes:
        """Return what a stream sends before the first token of an answer, if anything."""

    def chunk(self, part: Part, choice: Choice) -> bytes:
        """Return the next part of a stream; the choice does not have it yet."""

    def usage_chunk(self, usage: dict[str, Any]) -> bytes:
        """Return the chunk with the usage."""


class Head:
    """The fields that every JSON object of one request has."""

    def __init__(self, prefix: str, kind: str, model: str, has_usage: bool) -> None:
        # Not uuid4: its system call gives up the interpreter's lock, and the engine would take it.
        self.id = f"{prefix}-{random.getrandbits(128):032x}"
        self.fields = {
            "id": self.id,
            "object": kind,
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": FINGERPRINT,
        }
        text = json.dumps(self.fields, separators=(",", ":"))
        self.open = f"data: {text[:-1]}" + (',"usage":null' if has_usage else "")
        """The beginning of a chunk, up to its choices."""

    def usage_chunk(self, usage: dict[str, Any]) -> bytes:
        """Return the chunk with the usage."""
        return f"data: {json.dumps({**self.fields, 'choices': [], 'usage': usage})}\n\n".encode()


class CompletionShape:
    """`text_completion`."""

    def __init__(self, model: str, texts: Texts | None, has_usage: bool = False) -> None:
        self._head = Head("cmpl", "text_completion", model, has_usage)
        self._texts = texts
        self.id = self._head.id
        self.usage_chunk = self._head.usage_chunk

    def whole(self, choices: list[Choice], usage: dict[str, Any]) -> dict[str, Any]:
        """Return the whole answer."""
        listed = [
            {
                "index": index,
                "text": "".join(choice.text),
                "logprobs": self._logprobs(choice.logprobs, 0),
                "finish_reason": choice.finish_reason,
                "stop_reason": choice.stop_reason,
            }
            for index, choice in enumerate(choices)
        ]
        return {**self._head.fields, "choices": listed, "usage": usage}

    def first(self, index: int) -> bytes:
        """Return nothing."""
        return b""

    def chunk(self, part: Part, choice: Choice) -> bytes:
        """Return the next part of a stream."""
        found = "null"
        if part.logprobs is not None:
            found = json.dumps(self._logprobs(part.logprobs, choice.num_characters))
        return (
            f'{self._head.open},"choices":[{{"index":{part.index},"text":{quoted(part.text)},'
            f'"logprobs":{found},{_end(part)}}}]}}\n\n'
        ).encode()

    def _logprobs(self, found: list[Logprob] | None, num_before: int) -> dict[str, Any] | None:
        if found is None or self._texts is None:
            return None
        return logprobs.of_completion(self._texts, found, num_before)


class ChatShape:
    """`chat.completion` and its chunks."""

    def __init__(
        self, model: str, texts: Texts, is_stream: bool = False, has_usage: bool = False
    ) -> None:
        kind = "chat.completion.chunk" if is_stream else "chat.completion"
        self._head = Head("chatcmpl", kind, model, has_usage)
        self._texts = texts
        self.id = self._head.id
        self.usage_chunk = self._head.usage_chunk

    def whole(self, choices: list[Choice], usage: dict[str, Any]) -> dict[str, Any]:
        """Return the whole answer."""
        listed = [
            {
                "index": index,
                "message": {
                    "role": "assistant",
                    "content": "".join(choice.text),
                    "refusal": None,
                },
                "logprobs": self._logprobs(choice.logprobs),
                "finish_reason": choice.finish_reason,
                "stop_reason": choice.stop_reason,
            }
            for index, choice in enumerate(choices)
        ]
        return {**self._head.fields, "choices": listed, "usage": usage}

    def first(self, index: int) -> bytes:
        """Return the chunk that names the role."""
        return (
            f'{self._head.open},"choices":[{{"index":{index},"delta":{{"role":"assistant",'
            f'"content":""}},"logprobs":null,"finish_reason":null}}]}}\n\n'
        ).encode()

    def chunk(self, part: Part, choice: Choice) -> bytes:
        """Return the next part of a stream."""
        found = "null"
        if part.logprobs is not None:
            found = json.dumps(self._logprobs(part.logprobs))
        return (
            f'{self._head.open},"choices":[{{"index":{part.index},"delta":{{"content":'
            f'{quoted(part.text)}}},"logprobs":{found},{_end(part)}}}]}}\n\n'
        ).encode()

    def _logprobs(self, found: list[Logprob] | None) -> dict[str, Any] | None:
        return None if found is None else logprobs.of_chat(self._texts, found)


def _end(part: Part) -> str:
    if part.finish_reason is None:
        return '"finish_reason":null'
    end = {"finish_reason": part.finish_reason, "stop_reason": part.stop_reason}
    return json.dumps(end)[1:-1]
