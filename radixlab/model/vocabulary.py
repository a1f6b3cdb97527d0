"""A folder's vocabulary: tokenizer.json, completed from other files.

`tokenizer_config.json` (`added_tokens_decoder`, `bos_token`, …), `special_tokens_map.json` and
`added_tokens.json` may add tokens, or declare a token special: a special token is matched as a
whole in a text, and left out of an answer's text. The files are merged in the same way as
transformers does it. If two files contradict each other about a token, the folder is refused.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken

from radixlab.model.errors import BadFileError
from radixlab.model.folder import read_json_if_there, require

SETTINGS, SPECIAL, ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
GENERAL = ("PreTrainedTokenizerFast", "TokenizersBackend")
"""Classes of transformers that do not change tokenizer.json."""
LISTS = ("extra_special_tokens", "additional_special_tokens")
"""Keys that list special tokens without names."""
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A vocabulary, and its special tokens by the names that templates know."""

    tokens: tokenizers.Tokenizer
    special_tokens: dict[str, str]


def read_vocabulary(folder: Path, settings: Mapping[str, Any]) -> Vocabulary:
    """Read tokenizer.json and complete it; raise `MissingFileError` or `BadFileError`."""
    tokens = _tokens(require(folder / "tokenizer.json"))
    _refuse_other_prefix(folder, tokens, settings)
    tokens.encode_special_tokens = settings.get("split_special_tokens") is True
    mapped = read_json_if_there(folder / SPECIAL)
    named = _named(folder, settings, mapped)
    unnamed = [*_unnamed(folder / SETTINGS, settings), *_unnamed(folder / SPECIAL, mapped)]
    known = {token.content: token for token in tokens.get_added_tokens_decoder().values()}
    stated = _stated(folder, settings, {*named.values(), *map(_content, unnamed)})
    for index in sorted(stated):
        token = stated[index]
        if _flags(known.get(token.content)) != _flags(token):
            known[token.content] = token
            _add(tokens, token, is_special=token.special or token.content in named.values())
    for text in (*named.values(), *unnamed):
        token = AddedToken(**text) if isinstance(text, dict) else AddedToken(text, special=True)
        if token.content not in known or not known[token.content].special:
            known[token.content] = token
            _add(tokens, token, is_special=True)
    _refuse_other_ids(folder, tokens, stated)
    return Vocabulary(tokens, named)


def _tokens(path: Path) -> tokenizers.Tokenizer:
    try:
        tokens = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise BadFileError(f"{path} is not a tokenizer: {' '.join(str(error).split())}") from error
    tokens.no_truncation()  # a file may ask for both, which helps in training but harms a prompt
    tokens.no_padding()
    return tokens


def _refuse_other_prefix(
    folder: Path, tokens: tokenizers.Tokenizer, settings: Mapping[str, Any]
) -> None:
    """Refuse a folder whose files disagree about a space before each text.

    In transformers, the classes for one model follow `tokenizer_config.json`; the general classes
    follow `tokenizer.json`.
    """
    stated = settings.get("add_prefix_space")
    maker = settings.get("tokenizer_class")
    if not isinstance(stated, bool) or maker in (None, *GENERAL):
        return
    is_of_bytes = not str(maker).startswith("Llama")  # Llama's class does not change these
    for part in (tokens.normalizer, tokens.pre_tokenizer):
        for found in _prefixes(json.loads(part.__getstate__()) if part else None, is_of_bytes):
            if found != stated:
                raise BadFileError(
                    f"{folder / SETTINGS}: add_prefix_space is {stated}, but {found} by "
                    "tokenizer.json: keep the one that is meant"
                )


def _prefixes(part: Any, is_of_bytes: bool) -> Iterator[bool]:
    """Yield for each part of a (pre-)tokenizer whether it puts a space before a text."""
    if isinstance(part, list):
        for each in part:
            yield from _prefixes(each, is_of_bytes)
    elif isinstance(part, dict):
        yield from _prefixes([*part.values()], is_of_bytes)
        kind = part.get("type")
        if kind == "ByteLevel" and is_of_bytes:
            yield part["add_prefix_space"]
        if kind == "Metaspace" and not is_of_bytes:
            yield part["prepend_scheme"] != "never"
        if kind == "Prepend" and not is_of_bytes:
            yield True


def _named(folder: Path, settings: Mapping[str, Any], mapped: Mapping[str, Any]) -> dict[str, str]:
    """Return tokens such as `bos_token` by name; both files must agree."""
    named: dict[str, str] = {}
    for file, content in ((SETTINGS, settings), (SPECIAL, mapped)):
        for name, text in _names(folder / file, content):
            if named.setdefault(name, text) != text:
                raise BadFileError(
                    f"{folder / file}: {name} is {text!r}, but {SETTINGS} says {named[name]!r}"
                )
    return named


def _names(path: Path, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each named token; there are two ways to write one."""
    extra = content.get("extra_special_tokens")
    extra = extra if isinstance(extra, dict) else {}
    named = {name: token for name, token in content.items() if name.endswith("_token")}
    for name, token in {**named, **extra}.items():
        if not isinstance(token, str | dict):
            continue  # absent, or a switch such as add_bos_token
        text = _content(token)
        if text is None:
            raise BadFileError(f"{path}: {name} has no content: {token}")
        yield name, text


def _unnamed(path: Path, content: Mapping[str, Any]) -> list[str | dict[str, Any]]:
    """Return the special tokens without names, as texts or with flags."""
    for name in LISTS:
        tokens = content.get(name)
        if isinstance(tokens, list) and tokens:
            if not all(_content(token) is not None for token in tokens):
                raise BadFileError(f"{path}: {name} must list tokens, not {tokens!r:.60}")
            return [
                {**_only_flags(token), "content": token["content"], "special": True}
                if isinstance(token, dict)
                else token
                for token in tokens
            ]
    return []


def _stated(
    folder: Path, settings: Mapping[str, Any], special: set[str | None]
) -> dict[int, AddedToken]:
    """Return the tokens to which the other files give an id."""
    stated: dict[int, AddedToken] = {}
    decoder = settings.get("added_tokens_decoder") or {}
    if not isinstance(decoder, dict):
        raise BadFileError(f"{folder / SETTINGS}: added_tokens_decoder cannot be {decoder!r:.60}")
    for index, token in decoder.items():
        if not str(index).isdecimal() or not isinstance(token, dict) or _content(token) is None:
            raise BadFileError(
                f"{folder / SETTINGS}: added_tokens_decoder has {token!r:.60} under {index!r:.20}"
            )
        stated[int(index)] = AddedToken(token["content"], **_only_flags(token))
    for text, index in read_json_if_there(folder / ADDED).items():
        if type(index) is not int or index < 0:
            raise BadFileError(f"{folder / ADDED}: {text!r:.40} cannot have the id {index!r:.20}")
        is_special = text in special
        token = AddedToken(text, normalized=not is_special, special=is_special)
        if (other := stated.setdefault(index, token)).content != text:
            raise BadFileError(
                f"{folder / ADDED}: token {index} is {text!r:.40}, but {SETTINGS} says "
                f"{other.content!r:.40}"
            )
    return stated


def _add(tokens: tokenizers.Tokenizer, token: AddedToken, is_special: bool) -> None:
    """Add a token, which gets the next id, or set the flags of an existing one."""
    if is_special:
        token.special = True
        tokens.add_special_tokens([token])
    else:
        tokens.add_tokens([token])


def _refuse_other_ids(
    folder: Path, tokens: tokenizers.Tokenizer, stated: Mapping[int, AddedToken]
) -> None:
    for index, token in stated.items():
        found = tokens.token_to_id(token.content)
        if found != index:
            raise BadFileError(
                f"{folder}: token {token.content!r:.40} has the id {index} by {SETTINGS} or "
                f"{ADDED}, but {found} by tokenizer.json"
            )


def _flags(token: AddedToken | None) -> tuple[bool, ...] | None:
    return None if token is None else tuple(getattr(token, name) for name in FLAGS)


def _only_flags(token: Mapping[str, Any]) -> dict[str, bool]:
    return {name: token[name] for name in FLAGS if isinstance(token.get(name), bool)}


def _content(token: object) -> str | None:
    """Return the text of a special token, which may be one of its properties."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None
