"""The state in words: nbval compares notebooks by it, and screen readers read it.

This file knows the folded `State` and the texts of tokens. The same state gives the same text
everywhere: js/summary.js has it too, and a golden test compares them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from radixlab.escape import clip as clip
from radixlab.escape import count as count
from radixlab.escape import escaped as escaped
from radixlab.escape import plain as plain
from radixlab.observe.doubt import doubt_line
from radixlab.observe.state import NodeState, SequenceState, State
from radixlab.viz.facts import Counts, counts

Decode = Callable[[int], str]
"""The text of one token."""

_MOST_NODES = 200


def summary(state: State, decode: Decode | None = None) -> str:
    """Return one line of counts, the tree as indented text, and a line per running sequence."""
    lines = [headline(state), *filter(None, [doubt_line(state)]), *_tree_lines(state, decode)]
    lines += [_sequence_line(s) for s in sorted(state.sequences.values(), key=lambda s: s.id)]
    return "\n".join(lines)


def headline(state: State, numbers: Counts | None = None) -> str:
    """Return the first line of the summary.

    >>> headline(State(num_blocks=64, block_size=4))
    'CacheView: 0 nodes, 0 of 64 blocks in use, 0 evictable, no requests yet'
    """
    c = numbers or counts(state)
    rate = "no requests yet" if c.hit_rate is None else f"hit rate {100 * c.hit_rate:.1f} %"
    used = f"{c.num_in_use} of {state.num_blocks} blocks in use"
    host = f", {c.num_on_host} of {state.num_host_blocks} on host" if state.num_host_blocks else ""
    nodes = count(len(state.nodes), "node")
    return f"CacheView: {nodes}, {used}, {c.num_evictable} evictable{host}, {rate}"


def ordered_children(nodes: dict[int, NodeState]) -> dict[int | None, list[int]]:
    """Map each parent (None for roots) to its children, ordered by first block, as splits keep it.

    Children on the host come last, because their block ids belong to another pool.
    """
    children: dict[int | None, list[int]] = {None: []} | {i: [] for i in nodes}
    for node in sorted(nodes.values(), key=_rank):
        children[node.parent_id if node.parent_id in nodes else None].append(node.id)
    return children


def _rank(node: NodeState) -> tuple[bool, list[int], int]:
    return not node.resident, node.block_ids[:1] or [-1], node.id


def walk_tree(state: State) -> Iterator[tuple[int, NodeState]]:
    """Yield `(depth, node)`, parents first, siblings in order."""
    children = ordered_children(state.nodes)
    stack = [(0, i) for i in reversed(children[None])]
    while stack:
        depth, node_id = stack.pop()
        yield depth, state.nodes[node_id]
        stack += [(depth + 1, i) for i in reversed(children[node_id])]


def ids_text(ids: Iterable[int]) -> str:
    """Write block ids as runs.

    >>> ids_text([0, 1, 2, 9])
    '0–2, 9'
    """
    runs: list[list[int]] = []
    for i in ids:
        if runs and runs[-1][1] + 1 == i:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs) or "none"


def token_text(token: int, decode: Decode) -> str:
    """Return the text of a token, or its id in angle brackets where a learner's `decode` fails.

    >>> token_text(3, lambda token: None)
    '<3>'
    """
    try:
        text = decode(token)
    except Exception:  # it must break neither a picture nor the engine's step that calls it
        return f"<{token}>"
    return text if isinstance(text, str) else f"<{token}>"


def tokens_text(tokens: list[int], decode: Decode | None) -> str:
    """Write tokens as one string: their joined texts if `decode` is given, else their ids."""
    if decode is None:
        return " ".join(map(str, tokens))
    text = "".join(token_text(token, decode) for token in tokens)
    # Halves of a pair from two tokens become one character, as in JavaScript.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _tree_lines(state: State, decode: Decode | None) -> list[str]:
    lines = [
        "  " * (depth + 1) + _node_line(n, decode)
        for depth, n in islice(walk_tree(state), _MOST_NODES)
    ]
    left = len(state.nodes) - _MOST_NODES
    return [*lines, f"  … and {count(left, 'more node')}"] if left > 0 else lines


def _node_line(node: NodeState, decode: Decode | None) -> str:
    tenant = (
        f"[{plain(clip(' '.join(node.namespace)))}] "
        if node.namespace and node.parent_id is None
        else ""
    )
    text = clip(tokens_text(node.tokens, decode))
    label = _quoted(text) if decode else f"[{text}]"
    locks = f", {count(node.lock_ref, 'lock')}" if node.lock_ref else ""
    blocks = f"{'' if node.resident else 'on host, '}blocks {ids_text(node.block_ids)}"
    return f"{tenant}node {node.id} {label}: {blocks}{locks}"


def _quoted(text: str) -> str:
    """Write a text as JSON does, and escape what nobody would see."""
    return plain(json.dumps(text, ensure_ascii=False))


def _sequence_line(s: SequenceState) -> str:
    tokens = f"{count(len(s.tokens), 'token')}, {s.hit_tokens} found"
    return f"  sequence {s.id}: {tokens}, block table {ids_text(s.block_table)}"
