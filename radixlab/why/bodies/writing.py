"""The text of a prompt, written part by part, and how values become text.

A server turns a body into one text before it looks into its cache. Only the server knows this text,
unless `--tokenizer` names a folder with its chat template (`template.py`). Without a template this
file writes a text of its own, which keeps what matters for a prefix: the same body always gives the
same text, what comes first in a provider's prompt comes first here, and everything that a model
sees is in it.

- A message begins with a line such as `<|user|>`, with its name or id behind the role.
- Texts stand as they are. JSON (tools, arguments as objects, schemas) is written with its keys in
  the order of the body, and with `", "` and `": "` between them. White space between the values of
  a body is not a part of any value, and a server does not see it; so it is not in the text either.
- What is not text (images, audio, files) is written as its JSON, with data in it replaced by a
  digest and a length. Its tokens are not counted as a server counts them.
"""

import json
from hashlib import blake2b
from typing import Any

from radixlab.why.errors import BadLineError, kind, name
from radixlab.why.request import Part, Path

LONG_DATA = 256
"""Characters of encoded data above which a digest is written instead."""
DATA_FIELDS = frozenset(
    ("data", "url", "image_url", "file_data", "b64_json", "signature", "encrypted_content")
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class Writer:
    """Collects the parts of one prompt."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.breakpoints: list[int] = []

    def open(self, path: Path, *words: str) -> None:
        """Write a line such as `<|tool call_1|>`, on a line of its own."""
        begin = "\n<|" if self.parts else "<|"
        self.parts.append((path, f"{begin}{' '.join(words)}|>\n"))

    def text(self, path: Path, value: Any) -> None:
        """Write a text as it is."""
        if type(value) is not str:
            raise BadLineError(f"{name(path)} is {kind(value)}, not a text")
        if value:
            self.parts.append((path, value))

    def json(self, path: Path, value: Any) -> None:
        """Write a value as JSON, with its keys in their order."""
        try:
            self.parts.append((path, _ENCODER.encode(value)))
        except ValueError:  # a number such as 1e999 has become infinite
            raise BadLineError(f"{name(path)}: a number is too large") from None

    def value(self, path: Path, value: Any) -> None:
        """Write a text as it is, and anything else as JSON with data by reference."""
        if type(value) is str:
            self.text(path, value)
        else:
            self.json(path, by_reference(value))

    def mark(self, holder: Any) -> None:
        """Note a breakpoint here if the object that was just written asks for caching."""
        if type(holder) is dict and holder.get("cache_control"):
            self.breakpoints.append(len(self.parts))


def by_reference(value: Any, field: str = "") -> Any:
    """Copy a value, with long encoded data as a digest."""
    if type(value) is dict:
        return {
            key: by_reference(item, key) for key, item in value.items() if key != "cache_control"
        }
    if type(value) is list:
        return [by_reference(item, field) for item in value]
    if type(value) is str and field in DATA_FIELDS and len(value) > LONG_DATA:
        digest = blake2b(value.encode(errors="surrogatepass"), digest_size=16).hexdigest()
        return f"digest {digest}, {len(value)} characters"
    return value


def objects(path: Path, value: Any) -> list[dict[str, Any]]:
    """Return a list of objects; refuse anything else by name. Null is an empty list."""
    if value is None:
        return []
    if type(value) is not list:
        raise BadLineError(f"{name(path)} is {kind(value)}, not a list")
    for index, item in enumerate(value):
        if type(item) is not dict:
            raise BadLineError(f"{name((*path, index))} is {kind(item)}, not an object")
    return value
