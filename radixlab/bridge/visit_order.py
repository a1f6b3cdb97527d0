"""The order in which SGLang's `dfs-weight` policy serves waiting requests.

Requests that end deeper in a heavier branch go first, so that a branch is computed while it is
cached. The weight of a branch is the number of requests that end in it. SGLang reads the branches
off its own nodes; here they are read off the block ids of each request's cached prefix, which name
a path just as well and need no particular tree.
"""

from collections.abc import Sequence
from typing import Any


class _Branch:
    """A point at which prefixes end or part."""

    def __init__(self) -> None:
        self.children: dict[int, _Branch] = {}
        self.requests: list[int] = []
        self.weight = 0


def visit_order(paths: Sequence[Any]) -> list[int]:
    """Return request indices, heaviest branch first, and within a branch the deepest first.

    `paths` has the block ids of each request's cached prefix. Branches of equal weight keep the
    order in which the requests came.

    >>> visit_order([[1], [1, 2], [5, 6], [5, 7], [5, 7]])
    [3, 4, 2, 1, 0]
    """
    root = _Branch()
    for request, path in enumerate(paths):
        branch = root
        branch.weight += 1
        for block_id in path:
            branch = branch.children.setdefault(int(block_id), _Branch())
            branch.weight += 1
        branch.requests.append(request)
    order: list[int] = []
    stack = [root]
    while stack:  # parents before children, lightest first: the reverse of the order
        branch = stack.pop()
        order += reversed(branch.requests)
        stack += sorted(branch.children.values(), key=lambda child: -child.weight)
    return order[::-1]
