"""From a prompt's text to tokens: by bytes, by a model's tokenizer folder, or by tiktoken.

Without a tokenizer, four bytes of UTF-8 count as one token: byte b is in token b // 4. It needs no
vocabulary, is the same for everybody, and is about right for English text.

A real tokenizer is slow, and most of each prompt was in an earlier one. So a text is divided at
lines, and a piece that was tokenised before is not tokenised again. That gives the same tokens only
if no token of the vocabulary goes on from one line into the next, and if the last line break of a
piece is tokenised as if it stood in the middle. Both conditions are tested first, and a tokenizer
that fails one of them gets whole texts. Nothing here connects to a network.
"""

import hashlib
import importlib
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from radixlab.choices import not_one_of
from radixlab.why.bodies.template import ChatTemplate
from radixlab.why.errors import WhyError

TokenIds = npt.NDArray[np.int32]
TOKEN_BYTES = 4
PIECE_CHARACTERS = 1024
"""Least length of a piece of text that is tokenised, and kept, by itself."""
MAX_KEPT_BYTES = 2**27
"""Most memory for the tokens of pieces."""
TIKTOKEN = "tiktoken"
MODELS = ("tiny", "smollm2")
"""Models by name; `radixlab.model.named` has their folders, and is slow to import."""
ENCODING = "o200k_base"
ENCODING_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_NEW_LINE = re.compile(r"\n(?=[^\W_])")
"""A line that begins with a letter or a digit. Other marks may belong to the line break: o200k has
a token for a line break and two slashes."""
_CROSSING = re.compile(r"[\nĊ][^\W_ĉĊċČčĠ]")
"""A token with a line break before a letter or a digit; byte-level vocabularies write `Ċ`."""
PROBES = (
    "the end.\nThe next", "a\nb", "def f():\n    return 1\nx", "one\n\ntwo", "three \nfour", "}\n{",
    "1\n2", "…\n–", "é\nß", "中\n文", "it\n's", ":\n- item", "\r\n\r\nText", "\t\nx", "<|\n|>",
    "/\n//\nx", "// a.\n/* b", ").\nThen", "}\n\n//\n\nfunc", "x,\n  y\nz", "_\n_a",
)  # fmt: skip
"""Texts with lines, for finding out whether a tokenizer's tokens end where a line does."""


class TextTokenizer(Protocol):
    """Makes tokens of texts."""

    name: str
    """What a report calls it."""
    template: ChatTemplate | None
    """How the model's server writes conversations, if its folder says so."""

    def encode(self, text: str) -> TokenIds:
        """Return the tokens of a text, int32 `[n]`."""


class BytesOverFour:
    """Four bytes are a token; the last one may have fewer.

    >>> BytesOverFour().encode("abcdefgh!").tolist() == [0x64636261, 0x68676665, 0x21]
    True
    """

    name = "bytes ÷ 4"
    template: ChatTemplate | None = None

    def encode(self, text: str) -> TokenIds:
        """Return the bytes of a text as tokens, filled up with zeros."""
        data = text.encode()
        return np.frombuffer(data + bytes(-len(data) % TOKEN_BYTES), "<i4")


class Pieces:
    """A real tokenizer, which is asked only for pieces of text that it has not seen."""

    def __init__(
        self,
        name: str,
        encode: Callable[[str], Sequence[int]],
        template: ChatTemplate | None = None,
        crosses_lines: bool = False,
    ) -> None:
        self.name = name
        self.template = template
        self.divides = not crosses_lines and _ends_with_lines(encode)
        """Whether texts may be divided at lines without changing their tokens."""
        self.num_encoded = 0
        """Characters that were really tokenised."""
        self._encode = encode
        self._kept: OrderedDict[bytes, TokenIds] = OrderedDict()
        self._num_bytes = 0

    def encode(self, text: str) -> TokenIds:
        """Return the tokens of a text."""
        pieces = list(pieces_of(text)) if self.divides else [text]
        found = [self._piece(piece) for piece in pieces]
        return np.concatenate(found) if found else np.array([], np.int32)

    def _piece(self, piece: str) -> TokenIds:
        key = hashlib.blake2b(piece.encode(), digest_size=16).digest()
        known = self._kept.get(key)
        if known is None:
            self.num_encoded += len(piece)
            known = self._kept[key] = np.array(self._encode(piece), np.int32)
            self._num_bytes += known.nbytes
            while self._num_bytes > MAX_KEPT_BYTES and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._num_bytes -= oldest.nbytes
        else:
            self._kept.move_to_end(key)
        return known


def pieces_of(text: str) -> Iterator[str]:
    r"""Divide a text at lines into pieces; texts that begin alike have the same first pieces.

    >>> [len(piece) for piece in pieces_of("12345678\n" * 200)]
    [1026, 774]
    """
    start = 0
    while start < len(text):
        found = _NEW_LINE.search(text, start + PIECE_CHARACTERS)
        stop = found.end() if found else len(text)
        yield text[start:stop]
        start = stop


def open_tokenizer(which: str | Path | None = None) -> TextTokenizer:
    """Open a tokenizer: `bytes` or None, `tiktoken`, `tiktoken:ENCODING`, or a model's.

    A model is a folder in Hugging Face's format, or a name that `radixlab model` knows.

    Raises `WhyError` or a `ModelError`.
    """
    if which is None or which == "bytes":
        return BytesOverFour()
    word, _, encoding = str(which).partition(":")
    if word == TIKTOKEN:
        return _tiktoken(encoding or ENCODING)
    if which not in MODELS and not Path(which).is_dir():
        known = ("bytes", TIKTOKEN, *MODELS)
        raise WhyError(f"tokenizer {not_one_of(str(which), known, unless='a folder')}")
    from radixlab.model.named import find_folder
    from radixlab.model.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(find_folder(which))
    template = None if tokenizer.chat_template is None else ChatTemplate(tokenizer)

    def encode(text: str) -> Sequence[int]:
        return tokenizer.vocabulary.encode(text, add_special_tokens=False).ids

    crosses = bool(_CROSSING.search("\0".join(tokenizer.vocabulary.get_vocab())))
    name = str(which) if which in MODELS else Path(which).resolve().name
    return Pieces(name, encode, template, crosses)


def _tiktoken(encoding: str) -> TextTokenizer:
    """Open an encoding of tiktoken, if its file is on this machine already."""
    try:
        tiktoken = importlib.import_module(TIKTOKEN)
    except ImportError:
        raise WhyError("tiktoken is not installed: pip install tiktoken") from None
    file = _kept_by_tiktoken(encoding)
    if not file.is_file():
        raise WhyError(
            f"tiktoken does not have {encoding} on this machine and would have to fetch it: load "
            "it once where there is a network, or use a tokenizer folder"
        )
    return Pieces(f"tiktoken {encoding}", tiktoken.get_encoding(encoding).encode_ordinary)


def _kept_by_tiktoken(encoding: str) -> Path:
    """Return where tiktoken keeps the file of an encoding that it has fetched."""
    own = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    folder = Path(own) if own else Path(tempfile.gettempdir()) / "data-gym-cache"
    return folder / hashlib.sha1(ENCODING_URL.format(encoding).encode()).hexdigest()


def _ends_with_lines(encode: Callable[[str], Sequence[int]]) -> bool:
    """Whether dividing each probe at its lines leaves its tokens as they are."""
    for probe in PROBES:
        ends = [found.end() for found in _NEW_LINE.finditer(probe)]
        divided = [probe[a:b] for a, b in zip([0, *ends], [*ends, len(probe)], strict=True)]
        if [token for piece in divided for token in encode(piece)] != list(encode(probe)):
            return False
    return True
