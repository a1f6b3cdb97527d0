"""Text to token ids and back, as a model's folder says; conversations to prompts.

The work is done by the libraries tokenizers and jinja2. This file knows where a Hugging Face
folder keeps what they need; it knows no model and no tensor.
"""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import tokenizers
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from radixlab.cache.tokens import TokenArray
from radixlab.model.errors import BadFileError, ChatTemplateError
from radixlab.model.folder import read_json_if_there, read_text, require

Message = Mapping[str, Any]
"""One turn of a conversation: its `role` ("system", "user", "assistant") and its `content`."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A vocabulary, and what its model expects around a text."""

    vocabulary: tokenizers.Tokenizer
    special_tokens: Mapping[str, str]
    """`bos_token`, `eos_token` and the like, by these names."""
    eos_ids: frozenset[int]
    """Tokens that end an answer."""
    chat_template: str | None = None
    """How a conversation becomes a prompt, in Jinja."""

    def encode(self, text: str, special: bool = True) -> TokenArray:
        """Return a text's token ids, int32 `[n]`.

        `special` adds what the model expects around a plain text, such as Llama's first token; a
        conversation from `chat` has it already.
        """
        encoding = self.vocabulary.encode(text, add_special_tokens=special)
        return np.array(encoding.ids, np.int32)

    def decode(self, token_ids: Iterable[int]) -> str:
        """Return the text of tokens, without special ones; � stands for bytes that are no text."""
        return self.vocabulary.decode([int(token) for token in token_ids])

    def chat(self, messages: Many[Message]) -> str:
        """Write a conversation as the prompt of the next answer; `ChatTemplateError` if it cannot.

        Templates are code from whoever made the model, so they run in a sandbox. The clock is not
        in it: a date at the head of a prompt would end every cached prefix at midnight.
        """
        if self.chat_template is None:
            raise ChatTemplateError("the model's folder has no chat template: use a plain prompt")
        try:
            template = _sandbox().from_string(self.chat_template)
            return template.render(
                self.special_tokens, messages=messages, add_generation_prompt=True
            )
        except (jinja2.TemplateError, TypeError, ValueError, LookupError) as error:
            raise ChatTemplateError(f"the chat template: {' '.join(str(error).split())}") from error


def load_tokenizer(folder: str | Path) -> Tokenizer:
    """Read tokenizer.json and what other files say about special tokens and conversations.

    Raises `MissingFileError` or `BadFileError`.
    """
    folder = Path(folder)
    vocabulary = _vocabulary(require(folder / "tokenizer.json"))
    settings = read_json_if_there(folder / "tokenizer_config.json")
    special = {
        name: _content(folder, name, token)
        for name, token in settings.items()
        if name.endswith("_token") and isinstance(token, str | dict)
    }
    return Tokenizer(
        vocabulary, special, _eos_ids(folder, vocabulary, special), _template(folder, settings)
    )


def _vocabulary(path: Path) -> tokenizers.Tokenizer:
    try:
        vocabulary = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise BadFileError(f"{path} is no tokenizer: {' '.join(str(error).split())}") from error
    vocabulary.no_truncation()  # a file may ask for both: good for training, wrong for a prompt
    vocabulary.no_padding()
    return vocabulary


def _content(folder: Path, name: str, token: str | dict[str, Any]) -> str:
    """Return the text of a special token, which may stand among its properties."""
    content = token.get("content") if isinstance(token, dict) else token
    if not isinstance(content, str):
        raise BadFileError(f"{folder / 'tokenizer_config.json'}: {name} has no content: {token}")
    return content


def _eos_ids(
    folder: Path, vocabulary: tokenizers.Tokenizer, special: Mapping[str, str]
) -> frozenset[int]:
    """Return what ends an answer, from the first file that says so."""
    for name in ("generation_config.json", "config.json"):
        ids = read_json_if_there(folder / name).get("eos_token_id")
        if ids is not None:
            ids = ids if isinstance(ids, list) else [ids]
            if not all(type(token) is int for token in ids):
                raise BadFileError(f"{folder / name}: eos_token_id must be integers, not {ids}")
            return frozenset(ids)
    token = vocabulary.token_to_id(special.get("eos_token", ""))
    return frozenset() if token is None else frozenset([token])


def _template(folder: Path, settings: Mapping[str, Any]) -> str | None:
    path = folder / "chat_template.jinja"
    if path.is_file():
        return read_text(path)
    template = settings.get("chat_template")
    if isinstance(template, list) and all(isinstance(entry, dict) for entry in template):
        named = [entry for entry in template if entry.get("name") == "default"]  # of several
        template = named[0].get("template") if named else None
    if not isinstance(template, str | None):
        raise BadFileError(
            f"{folder / 'tokenizer_config.json'}: chat_template must be a text, or a list of "
            f"names and templates, not {template!r:.60}"
        )
    return template


def _sandbox() -> ImmutableSandboxedEnvironment:
    """Make the environment that templates are written for."""

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    def to_json(
        value: Any, indent: int | None = None, ensure_ascii: bool = False, sort_keys: bool = False
    ) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, sort_keys=sort_keys)

    sandbox = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    sandbox.globals["raise_exception"] = raise_exception
    sandbox.filters["tojson"] = to_json
    return sandbox
