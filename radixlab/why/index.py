"""The prefixes that a log has asked for so far: a radix tree that keeps digests in place of tokens.

    root ──(blocks 0–39)──► node ──(40–52)──► leaf          each node: the digest of each prefix
                              └────(40–61)──► leaf          that ends in it, 8 bytes a block

A prompt comes with one digest per prefix of whole blocks. A node is compared in one step, by the
digest of the prefix at its end; only the node in which two prompts part is searched. Nothing is
ever evicted here: the engine's own cache decides what a pool of blocks evicts (`pool.py`). Every
node keeps the time of its last use, which tells whether it has expired.

This file knows digests, times and numbers of requests. It does not know texts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any

from radixlab.why.digests import Digests

EVER = float("-inf")


class Node:
    """A run of blocks that the same requests share."""

    __slots__ = ("children", "digests", "end", "is_end", "num_requests", "owner", "start", "used")

    def __init__(self, start: int, digests: Digests) -> None:
        self.start = start
        """In blocks, as `end`."""
        self.end = start + len(digests)
        self.digests = digests
        self.children: dict[int, Node] = {}
        """By the digest of the prefix that ends with the child's first block."""
        self.owner = -1
        """Number of the last request that has this prefix."""
        self.num_requests = 0
        self.used = EVER
        """Time of its last use. A parent's is never older than its children's."""
        self.is_end = False
        """Whether a request ends here."""

    def split(self, num_blocks: int) -> "Node":
        """Keep the first blocks, and move the rest to a new child."""
        rest = Node(self.start + num_blocks, self.digests[num_blocks:])
        rest.children, rest.owner, rest.used = self.children, self.owner, self.used
        rest.num_requests, rest.is_end = self.num_requests, self.is_end
        self.digests, self.end = self.digests[:num_blocks], self.start + num_blocks
        self.children, self.is_end = {int(rest.digests[0]): rest}, False
        return rest


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of a prompt was asked for before; what a walk down the tree has found."""

    num_blocks: int
    """Blocks of the longest prefix that an earlier request has."""
    num_live: int
    """Blocks of the longest prefix that was used since the given time."""
    owner: int | None
    """The last request that has the longest prefix; None if no request has one."""
    beyond: int | None
    """The last request that continues this prefix; None if none does."""
    num_requests: int
    """Requests that have the longest prefix."""
    is_end: bool
    """Whether the longest prefix is the whole of an earlier request."""
    path: list[Node]
    """The nodes of the prefix, after the root. The prompt may end or part inside the last one."""


class PrefixIndex:
    """Prefixes by scope: requests of different scope share nothing.

    >>> import numpy as np
    >>> from radixlab.why.digests import Digester
    >>> digester, index = Digester(2), PrefixIndex()
    >>> prompt = digester.prefixes(np.array([1, 2, 3, 4, 5, 6], np.int32))
    >>> index.add("model", prompt, index.find("model", prompt), number=0)
    >>> index.find("model", prompt).num_blocks, index.find("other", prompt).num_blocks
    (3, 0)
    """

    def __init__(self) -> None:
        self.roots: dict[Any, Node] = {}
        self.num_nodes = 0

    def find(self, scope: Any, digests: Digests, since: float = EVER) -> Seen:
        """Walk down to the end of what was seen of the prompt; change nothing."""
        node = self.roots.get(scope)
        if node is None:
            return Seen(0, 0, None, None, 0, False, [])
        path: list[Node] = []
        shared = live = 0
        beyond: int | None = None
        inside, most = False, len(digests)
        while shared < most:
            child = node.children.get(int(digests[shared]))
            if child is None:
                break
            path.append(child)
            if child.end <= most and digests[child.end - 1] == child.digests[-1]:
                shared = child.end
            else:
                shared += _num_equal(digests, child)
                inside = shared < child.end
            if child.used >= since:
                live = shared
            node = child
            if inside:
                beyond = child.owner
                break
        if not inside and node.children:
            beyond = max(map(attrgetter("owner"), _some(node)))
        owner = path[-1].owner if path else None
        is_end = bool(path) and not inside and node.is_end
        return Seen(shared, live, owner, beyond, node.num_requests, is_end, path)

    def add(
        self, scope: Any, digests: Digests, seen: Seen, number: int, time: float = EVER
    ) -> None:
        """Keep all blocks of a prompt, given what `find` has found of it just before."""
        root = self.roots.get(scope)
        if root is None:
            root = self.roots[scope] = Node(0, digests[:0])
        node = root
        for each in seen.path:
            if each.end > seen.num_blocks:
                each.split(seen.num_blocks - each.start)
                self.num_nodes += 1
            node = each
            _touch(node, number, time)
        if seen.num_blocks < len(digests):
            leaf = Node(seen.num_blocks, digests[seen.num_blocks :].copy())
            node.children[int(leaf.digests[0])] = leaf
            self.num_nodes += 1
            node = leaf
            _touch(node, number, time)
        _touch(root, number, time)
        node.is_end = True

    def copy_as(self, scope: Any) -> "PrefixIndex":
        """Return a copy of the only scope's tree, under another name."""
        twin = PrefixIndex()
        for root in self.roots.values():
            twin.roots[scope] = _copied(root)
        twin.num_nodes = self.num_nodes
        return twin

    def nodes(self) -> Iterator[tuple[Node | None, Node]]:
        """Yield every node with its parent, parents first; roots have none."""
        stack: list[tuple[Node | None, Node]] = [(None, root) for root in self.roots.values()]
        while stack:
            parent, node = stack.pop()
            yield parent, node
            stack += [(node, child) for child in node.children.values()]


def _num_equal(digests: Digests, child: Node) -> int:
    """Return how many blocks of a child a prompt shares; prefixes part once and for all."""
    low, high = 0, min(child.end, len(digests)) - child.start
    while low < high:
        middle = (low + high + 1) // 2
        if digests[child.start + middle - 1] == child.digests[middle - 1]:
            low = middle
        else:
            high = middle - 1
    return low


def _some(node: Node) -> Iterator[Node]:
    """Return the last children of a node, where the latest request is: a clock may make many."""
    return islice(reversed(node.children.values()), 64)


def _touch(node: Node, number: int, time: float) -> None:
    node.owner = number
    node.num_requests += 1
    node.used = max(node.used, time)


def _copied(root: Node) -> Node:
    twin = Node(root.start, root.digests)
    stack = [(root, twin)]
    while stack:
        node, new = stack.pop()
        new.owner, new.used, new.is_end = node.owner, node.used, node.is_end
        new.num_requests = node.num_requests
        for key, child in node.children.items():
            new.children[key] = Node(child.start, child.digests)
            stack.append((child, new.children[key]))
    return twin
