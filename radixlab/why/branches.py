"""The picture of a log: the largest nodes of its tree of prefixes, and why they part."""

from collections import Counter
from heapq import nlargest

from radixlab.why.index import Node, PrefixIndex
from radixlab.why.places import place_of
from radixlab.why.prompt import Prompt
from radixlab.why.report import Branch
from radixlab.why.source import Source

MOST_BRANCHES = 200
LABEL = 60


def branches_of(
    index: PrefixIndex,
    source: Source,
    block_size: int,
    causes: dict[int, Counter[str]],
    text: bool,
) -> tuple[Branch, ...]:
    """Return the nodes with most tokens × requests, each with all nodes above it.

    `causes` tells for requests by number why they parted from earlier ones.
    """
    parents: dict[int, Node | None] = {}
    nodes: list[Node] = []
    for parent, node in index.nodes():
        parents[id(node)] = parent
        nodes.append(node)
    weight = {id(node): (node.end - node.start) * node.num_requests for node in nodes}
    chosen: dict[int, Node] = {}
    for node in nlargest(MOST_BRANCHES, nodes, key=lambda node: weight[id(node)]):
        above: Node | None = node
        while above is not None and id(above) not in chosen:
            chosen[id(above)] = above
            above = parents[id(above)]
    kept = sorted(chosen.values(), key=lambda node: (node.end, -node.num_requests, node.owner))
    ids = {id(node): number for number, node in enumerate(kept)}
    branches = []
    for node in kept[: 2 * MOST_BRANCHES]:
        parent = parents[id(node)]
        count = causes.get(node.owner) if node.num_requests == 1 else None
        branches.append(
            Branch(
                ids[id(node)],
                None if parent is None else ids[id(parent)],
                _label(node, source.prompt(node.owner), block_size, text),
                (node.end - node.start) * block_size,
                node.num_requests,
                count.most_common(1)[0][0] if count else None,
            )
        )
    return tuple(branches)


def _label(node: Node, prompt: Prompt, block_size: int, text: bool) -> str:
    if node.end == 0:
        return "everything"
    start = _character(prompt, node.start * block_size)
    if text:
        return " ".join(prompt.text[start : start + 2 * LABEL].split())[:LABEL]
    is_ids = prompt.request.token_ids is not None
    return place_of(prompt.request, node.start * block_size if is_ids else start, names=False)


def _character(prompt: Prompt, position: int) -> int:
    """Return the first character of a token: positions ascend with characters."""
    low, high = 0, len(prompt.text)
    while low < high:
        middle = (low + high) // 2
        if prompt.position(middle) < position:
            low = middle + 1
        else:
            high = middle
    return low
