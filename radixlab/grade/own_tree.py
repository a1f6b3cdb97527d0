"""The learner's own tree in the notebook of exercise 8.5.1: as a picture, and live."""

from typing import Any

from radixlab import observe
from radixlab.exercise.tree_player import node_rows
from radixlab.grade.ex1.adapter import TreeAdapter
from radixlab.grade.ex1.picture import state_of_rows
from radixlab.viz.cache_view import CacheView, Still


def picture(tree: Any) -> Still:
    """Draw a tree of one's own as its `walk` shows it, right or wrong.

    Raises `ValueError` for a walk that yields something that cannot be drawn.
    """
    rows = node_rows(tree)
    state = state_of_rows(rows, _block_size(rows))
    if state is None:
        raise ValueError(
            "walk must yield NodeView(id, parent_id, tokens, block_ids, lock_ref), parents first, "
            "with block ids from 0 to 999"
        )
    return Still(state)


def live(tree: Any, block_size: int, num_blocks: int) -> tuple[observe.WatchedTree, CacheView]:
    """Return the tree to call and the view to look at, in which every call can be seen.

    `num_blocks` is the size of the pool that is drawn.
    """
    watched = observe.watch(TreeAdapter(tree, block_size), block_size, num_blocks)
    return watched, CacheView(watched, title="your tree")


def _block_size(rows: list[list[Any]]) -> int:
    """Return the tokens per block of the first node; 1 for an empty tree."""
    for _, _, tokens, block_ids, _ in rows:
        return max(len(tokens) // max(len(block_ids), 1), 1)
    return 1
