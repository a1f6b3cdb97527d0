"""Trees as pictures draw them: the learner's, from the rows of its walk, and the oracle's.

Neither has to be a tree of ours, or right: a picture shows what is there.
"""

from collections import Counter
from collections.abc import Collection
from itertools import zip_longest
from typing import Any

from radixlab.grade.ex1.oracle import ROOT, PrefixModel
from radixlab.observe.state import NodeState, State

MAX_BLOCKS = 1_000
"""A larger pool cannot be drawn."""


def state_of_rows(rows: Any, block_size: int, num_blocks: int = 1) -> State | None:
    """Return what `node_rows` says as a `State`; None if it is too odd or too large to draw.

    The pool has `num_blocks` blocks, or as many as the ids take.
    """
    state = State(num_blocks, block_size)
    try:
        if len(rows) > MAX_BLOCKS or sum(len(row[2]) for row in rows) > 64 * MAX_BLOCKS:
            return None
        for node, parent, tokens, block_ids, lock_ref in rows:
            numbers = (node, lock_ref, *tokens, *block_ids)
            is_odd = not all(type(number) is int for number in numbers)
            if is_odd or not (parent is None or parent in state.nodes):
                return None
            if block_ids and not 0 <= min(block_ids) <= max(block_ids) < MAX_BLOCKS:
                return None
            state.num_blocks = max(state.num_blocks, *(block + 1 for block in block_ids), 1)
            state.nodes[node] = NodeState(node, parent, None, [*tokens], [*block_ids], lock_ref)
    except (TypeError, ValueError, IndexError):
        return None
    return state


def contents_of(
    state: State, model: PrefixModel
) -> tuple[dict[int, tuple[int | None, int]], set[int]]:
    """Return the block and the locks of each prefix, and the prefixes at which its nodes end."""
    contents: dict[int, tuple[int | None, int]] = {}
    ends = {ROOT}
    rows = ((n.id, n.parent_id, n.tokens, n.block_ids, n.lock_ref) for n in state.nodes.values())
    for prefixes, block_ids, lock_ref in model.follow(rows):
        for prefix, block in zip_longest(prefixes, block_ids[: len(prefixes)]):
            contents[prefix] = block, lock_ref
        ends.update(prefixes[-1:])
    return contents, ends


def state_of_model(model: PrefixModel, num_blocks: int = 1, cuts: Collection[int] = ()) -> State:
    """Return the oracle's tree: a node goes on until something branches off or a lock ends.

    It ends at `cuts` too: where the learner's nodes do, only what is wrong looks different.
    """
    num_children = Counter(model.above[prefix] for prefix in model.block_of)
    state, node_of = State(num_blocks, model.block_size), dict[int, NodeState]()
    for prefix, block in model.block_of.items():  # a prefix comes before what continues it
        above, lock_ref = model.above[prefix], model.lock_refs[prefix]
        node = node_of.get(above)
        parts = num_children[above] > 1 or above in cuts
        if node is None or parts or node.lock_ref != lock_ref:
            node = NodeState(len(state.nodes), node.id if node else None, None, [], [], lock_ref)
            state.nodes[node.id] = node
        node.tokens += model.last_block[prefix]
        node.block_ids.append(block)
        node_of[prefix] = node
        state.num_blocks = max(state.num_blocks, block + 1)
    return state
