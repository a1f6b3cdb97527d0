"""Looking up many prompts at once: what they share is walked once.

A scheduler asks for every waiting request, at every step, how much of it is cached. Requests about
one document all go down the same path. So the first of them is a *guide*: it walks, and the node
where it left the tree becomes a *post*. A later prompt that agrees with the guide up to a post (one
memory comparison, however many nodes lie above it) goes on from there. Posts are found by their
last block, so a prompt looks once for each length at which posts stand.

Tokens are always compared, so the result is exactly that of single look-ups. Nothing is cut,
stamped or counted: this is `peek` for many.
"""

from collections.abc import Sequence as Many

from radixlab.cache.checks import check_namespace
from radixlab.cache.errors import TokenError
from radixlab.cache.found import Found
from radixlab.cache.tokens import Tokens, TokensLike, as_tokens
from radixlab.cache.tree import RadixTree
from radixlab.events import Namespace

MAX_LENGTHS = 8
"""Different lengths at which posts may stand: a bound on what a prompt that shares nothing pays."""


def match_batch(
    tree: RadixTree,
    prompts: Many[TokensLike],
    namespaces: Many[Namespace | None] | None = None,
    spare_tokens: int = 0,
) -> list[Found]:
    """Find the longest cached prefix of each prompt, in whole blocks, in the order given.

    Equal to `tree.find` for one after the other; prompts that end at the same post share one
    result. The last `spare_tokens` tokens of each are not looked up (`allocate` leaves one). Raises
    `TokenError` for a prompt that is none, naming its place, and for namespaces of another number.

    >>> import numpy as np
    >>> tree = RadixTree(block_size=2)
    >>> _ = tree.insert([1, 2, 3, 4], np.array([10, 11], np.int32))
    >>> [found.num_blocks for found in match_batch(tree, [[1, 2, 3, 4], [9], [1, 2, 5, 6]])]
    [2, 0, 1]
    """
    if namespaces is not None and len(namespaces) != len(prompts):
        raise TokenError(f"{len(prompts)} prompts, but {len(namespaces)} namespaces")
    tokens = _as_tokens(prompts)
    if namespaces is None:
        find = _Guides(tree, None).find
        return [find(prompt, prompt.num_tokens - spare_tokens) for prompt in tokens]
    guides: dict[Namespace | None, _Guides] = {}
    for namespace in set(namespaces):
        check_namespace(namespace)
        guides[namespace] = _Guides(tree, namespace)
    pairs = zip(tokens, namespaces, strict=True)
    return [guides[name].find(prompt, prompt.num_tokens - spare_tokens) for prompt, name in pairs]


def _as_tokens(prompts: Many[TokensLike]) -> list[Tokens]:
    tokens = []
    for place, prompt in enumerate(prompts):
        try:
            tokens.append(as_tokens(prompt))
        except TokenError as error:
            raise TokenError(f"prompt {place}: {error}") from None
    return tokens


class _Guides:
    """Prompts of one namespace that have been walked, and where the next ones can start."""

    def __init__(self, tree: RadixTree, namespace: Namespace | None) -> None:
        self._tree = tree
        self._namespace = namespace
        self._posts: dict[int, dict[bytes, tuple[memoryview, Found]]] = {}
        """By the length of a path in bytes, the longest first, then by its last block: the path of
        a guide, and what it found."""

    def find(self, tokens: Tokens, num_tokens: int) -> Found:
        """Find the longest cached prefix of the first `num_tokens` tokens."""
        tree, view, step = self._tree, tokens.view, self._tree.block_bytes
        max_blocks = max(0, num_tokens) // tree.block_size
        for length, posts in self._posts.items():
            post = posts.get(view[length - step : length].tobytes())
            if post is None or length > max_blocks * step or not tokens.data.startswith(post[0]):
                continue
            guide = post[1]
            following = view[length : length + step].tobytes()
            if guide.child is None and following not in guide.node.children:
                return guide
            return self._go_on(guide, tokens, max_blocks)
        found = tree.find(tokens, max_blocks, self._namespace)
        self._put_up(tokens, found)
        return found

    def _go_on(self, guide: Found, tokens: Tokens, max_blocks: int) -> Found:
        """Walk on from the node where a guide left the tree."""
        found = self._tree.find(tokens, max_blocks, self._namespace, guide.node)
        found.runs[:0] = guide.runs[:-1] if guide.child else guide.runs
        if found.node is not guide.node:
            self._put_up(tokens, found)
        return found

    def _put_up(self, tokens: Tokens, found: Found) -> None:
        """Put up a post where the tree was left, unless at the root or at too many lengths."""
        step, posts = self._tree.block_bytes, self._posts
        length = found.node.end * step
        if length not in posts:
            if not length or len(posts) == MAX_LENGTHS:
                return
            lengths = sorted([*posts, length], reverse=True)
            posts = self._posts = {length: posts.get(length, {}) for length in lengths}
        block = tokens.view[length - step : length].tobytes()
        posts[length][block] = tokens.view[:length], found
