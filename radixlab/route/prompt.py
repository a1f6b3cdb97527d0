"""What a rule knows about a request: the names of its blocks, its length, its session, its text.

A block's name covers its tokens *and everything before them*, so one name stands for a whole
prefix. The names are those of `radixlab.observe.kv`: what a replica publishes in its KV events and
what a router computes from a prompt agree, whichever engine the replica runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from radixlab.cache.checks import check_namespace
from radixlab.cache.tokens import TOKEN_BYTES, TokensLike, as_int32
from radixlab.config import MAX_BLOCK_SIZE, positive
from radixlab.events import Namespace
from radixlab.observe.kv.hashes import chain, published, seed
from radixlab.route.errors import RouteError

Key = int
"""The name of a block and of everything before it: 64 bits."""
Keys = Sequence[Key]

BLOCK_CHARS = 64
"""Characters of a block of text: about 16 tokens of English."""


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One request, as a router sees it. Two of them are never equal, even with equal prompts.

    >>> prompt = Prompt.of_tokens([1, 2, 3, 4, 5], block_size=2)
    >>> len(prompt.keys), prompt.num_tokens
    (2, 5)
    """

    keys: Keys
    """One name for each whole block, in order; empty if the prompt is shorter than a block."""
    num_tokens: int = 0
    """Tokens to compute if nothing is cached."""
    session: str | None = None
    """An id that stays the same through a conversation, if the client sends one."""
    text: str | None = None
    """The prompt as text, for rules that compare characters."""

    def __post_init__(self) -> None:
        if self.num_tokens < 0:
            raise RouteError(f"num_tokens must be 0 or more, not {self.num_tokens}")

    @classmethod
    def of_tokens(
        cls,
        tokens: TokensLike,
        block_size: int,
        namespace: Namespace | None = None,
        session: str | None = None,
    ) -> "Prompt":
        """Name a prompt's blocks as the replicas' KV events do; an empty prompt has none.

        Raises `TokenError`, `NamespaceError` and `ConfigError`.
        """
        size = positive("block_size", block_size, MAX_BLOCK_SIZE)
        check_namespace(namespace)
        token_ids = as_int32(tokens)
        step = size * TOKEN_BYTES
        data = token_ids[: len(token_ids) // size * size].tobytes()
        blocks = [data[start : start + step] for start in range(0, len(data), step)]
        keys = tuple(map(published, chain(seed(namespace), blocks)))
        return cls(keys, len(token_ids), session)

    @classmethod
    def of_text(cls, text: str, session: str | None = None) -> "Prompt":
        """Name a prompt's blocks by its characters, where no tokenizer is at hand.

        Only a map that is fed by routed prompts can use these names.

        >>> ours, theirs = Prompt.of_text("a" * 64 + "b" * 64), Prompt.of_text("a" * 128)
        >>> ours.keys[0] == theirs.keys[0], ours.keys[1] == theirs.keys[1]
        (True, False)
        """
        if not isinstance(text, str):
            raise RouteError(f"text must be a str, not {type(text).__name__}")
        stops = range(BLOCK_CHARS, len(text) + 1, BLOCK_CHARS)
        blocks = [
            text[stop - BLOCK_CHARS : stop].encode("utf-8", "surrogatepass") for stop in stops
        ]
        keys = tuple(map(published, chain(sha256(b"text").digest(), blocks)))
        return cls(keys, len(text) // 4, session, text)
