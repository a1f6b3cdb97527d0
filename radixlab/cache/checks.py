"""Looking a request over at the door, before anything is touched."""

from radixlab.cache.errors import NamespaceError, PromptTooLargeError, TokenError
from radixlab.cache.tokens import Tokens, TokensLike, own
from radixlab.config import CacheConfig
from radixlab.events import Namespace


def check_prompt(tokens: TokensLike, reserve_tokens: int, config: CacheConfig) -> Tokens:
    """Return the prompt in a buffer of its own; raise if it could never be admitted."""
    if reserve_tokens < 0:
        raise TokenError(f"reserve_tokens must be 0 or more, not {reserve_tokens}")
    prompt = own(tokens, reserve_tokens)
    if not prompt.num_tokens:
        raise TokenError("an empty prompt (0 tokens): there is nothing to compute")
    if prompt.num_tokens + reserve_tokens > config.num_blocks * config.block_size:
        num_blocks = -(-(prompt.num_tokens + reserve_tokens) // config.block_size)
        raise PromptTooLargeError(
            f"a prompt of {prompt.num_tokens} tokens (+ {reserve_tokens} reserved) needs "
            f"{num_blocks} blocks of {config.block_size}, the pool has {config.num_blocks}"
        )
    return prompt


def check_namespace(namespace: Namespace | None) -> None:
    """Raise `NamespaceError` unless it is a tagged pair: a bare "x" could be salt or adapter."""
    if namespace is None:
        return
    pair = isinstance(namespace, tuple) and len(namespace) == 2
    if not pair or not all(isinstance(part, str) for part in namespace):
        raise NamespaceError(f'a namespace is a pair such as ("salt", "x"), not {namespace!r}')
