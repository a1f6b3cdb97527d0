"""Text to token ids and back, as a model's folder says; conversations to prompts.

The libraries tokenizers and jinja2 do the work. This file knows in which files of a Hugging Face
folder their inputs are. It does not know models or tensors.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from radixlab.cache.tokens import TokenArray
from radixlab.choices import not_one_of
from radixlab.config import token_ids
from radixlab.model.chat import ChatText, Message, render
from radixlab.model.errors import BadFileError, ChatTemplateError, DoubledTokenError
from radixlab.model.folder import read_json_if_there, read_text
from radixlab.model.vocabulary import SETTINGS, read_vocabulary

__all__ = ["ChatText", "Message", "Tokenizer", "load_tokenizer"]

EOS_FILES = ("generation_config.json", "config.json")
UNFINISHED = "�"
"""The text of an incomplete character, whose first bytes have come."""
TOKEN_BY_TOKEN = (tokenizers.decoders.ByteLevel, tokenizers.decoders.Metaspace)
"""Decoders that join the texts of tokens, each whole character being decoded for itself."""
SNOWMAN = ("<0xE2>", "<0x98>", "<0x83>")
"""A character as three tokens, in a vocabulary that writes rare characters as bytes."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A vocabulary, and the special tokens that its model expects around a text."""

    vocabulary: tokenizers.Tokenizer
    special_tokens: Mapping[str, str]
    """Special tokens by names such as `bos_token` and `eos_token`."""
    eos_ids: frozenset[int]
    """Tokens that end an answer."""
    chat_template: str | Mapping[str, str] | None = None
    """How a conversation becomes a prompt, in Jinja: one template, or several by name."""
    silent_ids: frozenset[int] = field(init=False, repr=False)
    """Special tokens, which have no text."""
    byte_ids: frozenset[int] = field(init=False, repr=False)
    """Tokens of one byte each. A run of them is decoded as a whole; most vocabularies have none."""
    _own_texts: dict[int, str | None] = field(init=False, repr=False, compare=False)
    """What `own_text` has found out so far."""

    def __post_init__(self) -> None:
        added = self.vocabulary.get_added_tokens_decoder()
        silent = (index for index, token in added.items() if token.special)
        object.__setattr__(self, "silent_ids", frozenset(silent))
        object.__setattr__(self, "byte_ids", _byte_ids(self.vocabulary))
        object.__setattr__(self, "_own_texts", {})

    def encode(self, text: str, special: bool | None = None) -> TokenArray:
        """Return a text's token ids, int32 `[n]`.

        `special` adds the special tokens that the model expects around plain text, such as Llama's
        first token. By default they are added to all texts except those from `chat`, which contain
        them already. A plain text that begins with them raises `DoubledTokenError`.
        """
        add = not isinstance(text, ChatText) if special is None else special
        encoding = self.vocabulary.encode(text, add_special_tokens=add)
        if add and special is None:
            _refuse_doubled(text, encoding)
        return np.array(encoding.ids, np.int32)

    def decode(self, token_ids: Iterable[int]) -> str:
        """Return the text of tokens, without special ones; � stands for invalid bytes."""
        return self.vocabulary.decode([int(token) for token in token_ids])

    def own_text(self, token: int) -> str | None:
        """Return what a token adds to a text that ends with a whole character.

        Return None if that depends on the tokens beside it: a part of a character has no text of
        its own, and some decoders look at neighbours.
        """
        if token not in self._own_texts:
            self._own_texts[token] = self._find_own_text(token)
        return self._own_texts[token]

    def _find_own_text(self, token: int) -> str | None:
        vocabulary = self.vocabulary
        if token in self.silent_ids or vocabulary.id_to_token(token) is None:
            return ""
        if not isinstance(vocabulary.decoder, TOKEN_BY_TOKEN):
            return None
        once, twice = vocabulary.decode([token]), vocabulary.decode([token, token])
        own = twice[len(once) :]  # the first token of a text may lose its space
        return None if UNFINISHED in own else own

    def piece(self, token: int) -> str:
        """Return the text of one token as it is inside a text: with the space that begins a word.

        Where that depends on its neighbours, it is the text after the same token.
        """
        own = self.own_text(token)
        return self.decode([token, token])[len(self.decode([token])) :] if own is None else own

    def chat(
        self,
        messages: Many[Message],
        *,
        tools: Many[Mapping[str, Any]] | None = None,
        documents: Many[Mapping[str, Any]] | None = None,
        add_generation_prompt: bool = True,
        template: str | None = None,
        today: date | None = None,
        **variables: Any,
    ) -> ChatText:
        """Render a conversation as the prompt of the next answer; may raise `ChatTemplateError`.

        Parameters
        ----------
        messages
            The turns so far.
        tools, documents
            Functions (JSON schemas) and texts for the model, if its template supports them.
        add_generation_prompt
            Whether the prompt ends where the answer begins.
        template
            The name of one of several templates; by default "tool_use" with tools, else "default".
        today
            The date of the template's clock; by default, now. A prompt that begins with a date
            shares no cached prefix with a prompt of another day.
        variables
            Other names that the template reads, such as `enable_thinking`.
        """
        given = {
            "tools": tools, "documents": documents, "add_generation_prompt": add_generation_prompt,
        }  # fmt: skip
        return render(
            self._template(template, tools),
            messages,
            {**self.special_tokens, **variables, **given},
            today,
        )

    def _template(self, name: str | None, tools: object) -> str:
        """Choose a template by name."""
        known = self.chat_template
        if known is None:
            raise ChatTemplateError("the model's folder has no chat template: use a plain prompt")
        if isinstance(known, str):
            known = {"default": known}
        if name is None:
            name = "tool_use" if tools is not None and "tool_use" in known else "default"
        if name not in known:
            raise ChatTemplateError(f"chat template {not_one_of(name, known)}")
        return known[name]


def load_tokenizer(folder: str | Path, eos_ids: Iterable[int] | None = None) -> Tokenizer:
    """Read a folder's vocabulary, special tokens and chat templates from all files that have them.

    `eos_ids` are the tokens that end an answer, in case the files disagree. Raises
    `MissingFileError`, `BadFileError` or `ConfigError`.
    """
    folder = Path(folder)
    settings = read_json_if_there(folder / SETTINGS)
    vocabulary = read_vocabulary(folder, settings)
    eos = vocabulary.special_tokens.get("eos_token")
    ids = _eos_ids(folder, None if eos is None else vocabulary.tokens.token_to_id(eos))
    return Tokenizer(
        vocabulary.tokens,
        vocabulary.special_tokens,
        _agreed(folder, ids) if eos_ids is None else token_ids("eos_ids", eos_ids),
        _templates(folder, settings),
    )


def _eos_ids(folder: Path, of_tokenizer: int | None) -> dict[str, frozenset[int]]:
    """Return the tokens that end an answer, by the file that names them."""
    said: dict[str, frozenset[int]] = {}
    for name in EOS_FILES:
        ids = read_json_if_there(folder / name).get("eos_token_id")
        ids = ids if isinstance(ids, list) else [ids]
        if not all(token is None or (type(token) is int and token >= 0) for token in ids):
            raise BadFileError(f"{folder / name}: eos_token_id must be integers, not {ids}")
        said[name] = frozenset(token for token in ids if token is not None)
    said[SETTINGS] = frozenset([] if of_tokenizer is None else [of_tokenizer])
    return {name: ids for name, ids in said.items() if ids}


def _agreed(folder: Path, said: Mapping[str, frozenset[int]]) -> frozenset[int]:
    """Return the ids of the file that names most; the other files must name a subset."""
    most = max(said.values(), key=len, default=frozenset[int]())
    for name, ids in said.items():
        if not ids <= most:
            by = next(other for other, others in said.items() if others == most)
            raise BadFileError(
                f"{folder}: an answer ends at {sorted(ids)} by {name}, but at {sorted(most)} "
                f"by {by}: pass eos_ids to load_tokenizer"
            )
    return most


def _templates(folder: Path, settings: Mapping[str, Any]) -> str | dict[str, str] | None:
    """Return the templates of the first file that has any, in transformers' order."""
    path = folder / "chat_template.jinja"
    more = sorted((folder / "additional_chat_templates").glob("*.jinja"))
    own = {"default": read_text(path)} if path.is_file() else {}
    own |= {file.stem: read_text(file) for file in more}
    if own:
        return own["default"] if own.keys() == {"default"} else own
    of_processor = read_json_if_there(folder / "chat_template.json").get("chat_template")
    for name, template in (
        (SETTINGS, settings.get("chat_template")),
        ("chat_template.json", of_processor),
    ):
        if template is not None:
            return _readable(folder / name, template)
    return None


def _readable(path: Path, template: Any) -> str | dict[str, str]:
    """Read one template, or a list of named ones."""
    if isinstance(template, str):
        return template
    if isinstance(template, list) and all(isinstance(entry, dict) for entry in template):
        template = {entry.get("name"): entry.get("template") for entry in template}
    if not isinstance(template, dict) or not all(
        isinstance(each, str) for entry in template.items() for each in entry
    ):
        raise BadFileError(
            f"{path}: chat_template must be a text, or a list of names and templates, not "
            f"{template!r:.60}"
        )
    return template


def _byte_ids(vocabulary: tokenizers.Tokenizer) -> frozenset[int]:
    """Find the tokens of one byte each, if the vocabulary joins them into characters."""
    snowman = [index for name in SNOWMAN if (index := vocabulary.token_to_id(name)) is not None]
    if len(snowman) < len(SNOWMAN) or vocabulary.decode(snowman).strip() != "☃":
        return frozenset()
    ids = (vocabulary.token_to_id(f"<0x{byte:02X}>") for byte in range(256))
    return frozenset(index for index in ids if index is not None)


def _refuse_doubled(text: str, encoding: tokenizers.Encoding) -> None:
    """Refuse a text that begins with the special tokens that were just added before it."""
    mask = encoding.special_tokens_mask
    num_added = mask.index(0) if 0 in mask else 0
    if num_added and encoding.ids[:num_added] == encoding.ids[num_added : 2 * num_added]:
        first = encoding.tokens[0]
        raise DoubledTokenError(
            f"{text[:30]!r} begins with {first}, and the tokenizer adds {first} to plain text: "
            "encode it with special=False, or as a ChatText"
        )
