"""The names of blocks: hashes chained along a prompt, and what sets equal tokens apart.

A block's digest covers its parent's digest and its own tokens, as in vLLM: so it names the whole
prefix, and two caches that hold the same prefix publish the same name.

    digest(block) = SHA-256(digest(parent) ‖ token ids, int32, little-endian)

Where vLLM mixes salt and adapter into the blocks' own hashes, ours start from a digest of the
tagged namespace: `("salt", "x")` and `("adapter", "x")` never meet. The first 64 bits are
published. A router that computes its own hashes from `token_ids`, as Dynamo does, needs no more. A
router that computes vLLM's finds none of ours: the two agree in form, not in value.
"""

from hashlib import sha256
from typing import Any

from radixlab.events import Namespace
from radixlab.observe.fields import MAX_TEXT
from radixlab.observe.kv.wire import Stored

SALT, ADAPTER = "salt", "adapter"
_NAME = b"radixlab-kv-event-v1"


def seed(namespace: Namespace | None) -> bytes:
    """Return the digest that stands before the first block of a namespace."""
    parts = (b"%d:%b" % (len(part), part) for part in _encoded(namespace))
    return sha256(b"".join((_NAME, *parts))).digest()


def _encoded(namespace: Namespace | None) -> list[bytes]:
    return [part.encode("utf-8", "surrogatepass") for part in namespace or ()]


def chain(parent: bytes, blocks: list[bytes]) -> list[bytes]:
    """Return the digests of blocks that follow `parent`, from their token ids as memory."""
    digests = []
    for block in blocks:
        parent = sha256(parent + block).digest()
        digests.append(parent)
    return digests


def published(digest: bytes) -> int:
    """Return the number that stands for a digest on the wire.

    >>> published(seed(None)) == published(seed(("salt", "")))
    False
    """
    return int.from_bytes(digest[:8], "big")


# ---- namespaces on the wire


def extra_keys_of(namespace: Namespace | None, num_blocks: int, at_start: bool) -> list[Any] | None:
    """Return `extra_keys` for stored blocks, in vLLM's manner; None where all are empty.

    An adapter's name stands in every block and a salt in the first one of a prompt. Another kind of
    namespace stands there as a pair.
    """
    if namespace is None:
        return None
    kind, name = namespace
    if kind == ADAPTER:
        return [[name]] * num_blocks
    if not at_start:
        return None
    return [[name if kind == SALT else [kind, name]], *[None] * (num_blocks - 1)]


def namespace_of(event: Stored, keys: list[Any] | None) -> tuple[Namespace | None, str]:
    """Return the namespace that a block's event tells, and what else sets the block apart.

    `keys` are the block's own extra keys. vLLM publishes a salt in the first block only, so blocks
    that follow are in their parent's namespace. What is left, such as an image, is returned as
    text.
    """
    adapter = event.lora_name
    if adapter is None and event.lora_id is not None:
        adapter = str(event.lora_id)
    rest = list(keys or ())
    if rest and adapter is not None and rest[0] == event.lora_name:
        del rest[0]
    salt = event.cache_salt
    if salt is None and len(rest) == 1 and type(rest[0]) is str:
        salt, rest = rest[0], []
    elif len(rest) == 1 and _is_namespace(rest[0]):
        return (rest[0][0], rest[0][1]), ""
    return _combined(adapter, salt), repr(rest) if rest else ""


def fitting(text: str) -> str:
    """Shorten a text that no recording may have; a digest keeps different ones apart.

    >>> fitting("salt"), len(fitting("x" * 5000)), fitting("x" * 5000)[-18:]
    ('salt', 961, '… c59d3c0480cc2d71')
    """
    if len(text) <= MAX_TEXT:
        return text
    mark = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[: MAX_TEXT - 57]}… {mark}"


def _is_namespace(key: Any) -> bool:
    return type(key) is list and len(key) == 2 and all(type(part) is str for part in key)


def _combined(adapter: str | None, salt: str | None) -> Namespace | None:
    if adapter is not None and salt is not None:
        return f"{ADAPTER} and {SALT}", f"{adapter!r} and {salt!r}"
    if salt is not None:
        return SALT, salt
    return None if adapter is None else (ADAPTER, adapter)
