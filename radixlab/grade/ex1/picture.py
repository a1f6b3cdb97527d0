"""Trees as pictures draw them: the learner's, from the rows of its walk, and the oracle's.

Neither has to be a tree of ours, or right: a picture shows what is there.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.model import PrefixModel
from radixlab.observe.state import NodeState, State

MAX_BLOCKS = 1_000
"""A larger pool is no picture."""


def state_of_rows(rows: Any, block_size: int, num_blocks: int = 1) -> State | None:
    """Return what `node_rows` says as a `State`; None if it is too odd or too large to draw.

    The pool has `num_blocks` blocks, or as many as the ids take.
    """
    state = State(num_blocks, block_size)
    try:
        for node, parent, tokens, block_ids, lock_ref in rows:
            numbers = (node, lock_ref, *tokens, *block_ids)
            is_odd = not all(type(number) is int for number in numbers)
            if is_odd or not (parent is None or parent in state.nodes):
                return None
            if block_ids and not 0 <= min(block_ids) <= max(block_ids) < MAX_BLOCKS:
                return None
            state.num_blocks = max(state.num_blocks, *(block + 1 for block in block_ids), 1)
            state.nodes[node] = NodeState(node, parent, None, [*tokens], [*block_ids], lock_ref)
    except (TypeError, ValueError):
        return None
    return state


def ends(state: State) -> set[Tokens]:
    """Return the prefixes at which its nodes end."""
    prefix_of: dict[int | None, Tokens] = {None: ()}
    for node in state.nodes.values():
        prefix_of[node.id] = prefix_of[node.parent_id] + tuple(node.tokens)
    return set(prefix_of.values())


def state_of_model(model: PrefixModel, num_blocks: int = 1, cuts: Collection[Tokens] = ()) -> State:
    """Return the oracle's tree: a node goes on until something branches off or a lock ends.

    It ends at `cuts` too: where the learner's nodes do, only what is wrong looks different.
    """
    size, refs = model.block_size, model.lock_refs()
    num_children = Counter(prefix[:-size] for prefix in model.block_of)
    state, node_of = State(num_blocks, size), dict[Tokens, NodeState]()
    for prefix in sorted(model.block_of):  # a prefix comes before what continues it
        node, block = node_of.get(prefix[:-size]), model.block_of[prefix]
        above = prefix[:-size]
        parts = num_children[above] > 1 or above in cuts
        if node is None or parts or node.lock_ref != refs[prefix]:
            parent_id = node.id if node else None
            node = NodeState(len(state.nodes), parent_id, None, [], [], refs[prefix])
            state.nodes[node.id] = node
        node.tokens += prefix[-size:]
        node.block_ids.append(block)
        node_of[prefix] = node
        state.num_blocks = max(state.num_blocks, block + 1)
    return state
