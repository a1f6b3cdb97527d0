"""The learner's own tree in the notebook of exercise 8.5.1: as a picture, and live."""

from traceback import walk_tb
from typing import Any

from IPython.core.error import UsageError

from radixlab import observe
from radixlab.exercise import tree_player
from radixlab.exercise.plain import plain_text
from radixlab.exercise.tree_player import node_rows
from radixlab.grade.ex1.adapter import TreeAdapter
from radixlab.grade.ex1.picture import state_of_rows
from radixlab.viz.cache_view import CacheView, Still


def picture(tree: Any) -> Still:
    """Draw a tree of one's own as its `walk` shows it, right or wrong.

    Raises `UsageError`, which a notebook shows in one line, for what cannot be drawn.
    """
    _require_tree(tree)
    try:
        rows = node_rows(tree)
    except (AttributeError, TypeError) as error:
        *_, (frame, _) = walk_tb(error.__traceback__)
        if frame.f_code.co_filename != tree_player.__file__:
            raise  # in the learner's own code
        rows = None
    state = None if rows is None else state_of_rows(rows, _block_size(rows))
    if state is None:
        raise UsageError(
            "walk must yield NodeView(id, parent_id, tokens, block_ids, lock_ref), parents first, "
            "with block ids from 0 to 999"
        )
    return Still(state)


def live(tree: Any, block_size: int, num_blocks: int) -> tuple[observe.WatchedTree, CacheView]:
    """Return the tree to call and the view to look at, in which every call can be seen.

    `num_blocks` is the size of the pool that is drawn.
    """
    _require_tree(tree)
    watched = observe.watch(TreeAdapter(tree, block_size), block_size, num_blocks)
    return watched, CacheView(watched, title="your tree")


def _require_tree(tree: Any) -> None:
    if isinstance(tree, type) or not callable(getattr(tree, "walk", None)):
        raise UsageError(f"{plain_text(tree)} is not a tree: give one, such as RadixTree(4)")


def _block_size(rows: list[list[Any]]) -> int:
    """Return the tokens per block of the first node; 1 for an empty tree."""
    for _, _, tokens, block_ids, _ in rows:
        return max(len(tokens) // max(len(block_ids), 1), 1)
    return 1
