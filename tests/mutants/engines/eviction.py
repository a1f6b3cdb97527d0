"""Broken eviction: the wrong victim, or one that is gone and still found."""

from radixlab.cache.ending import Ending
from radixlab.cache.eviction import LRU
from radixlab.cache.locks import Locks
from radixlab.cache.tree import RadixTree
from tests.mutants.edits import Edit, breaks


@breaks("E1")
def an_inner_node_is_evicted():
    """Whoever was used least recently goes, children or not; they hang on to nothing."""
    return [
        Edit(RadixTree.store, {"if node.evictable:": "if False:"}),
        Edit(Locks.unlock, {" and not leaf.num_resident_children": ""}),
        Edit(RadixTree.take_tail, {"assert not node.children": "assert True"}),
    ]


@breaks("E1")
def a_parent_never_becomes_a_candidate():
    """When the last child goes, nobody tells the policy: the inner blocks stay for ever."""
    return [
        Edit(RadixTree.left_device, {"self.locks.expose(parent)": "pass"}),
    ]


@breaks("E2")
def a_leaf_is_trimmed_from_its_head():
    """The oldest tokens go first, as from a window; what stays has lost its beginning.

    llm-d-inference-sim 704: blocks outlived their ancestors.
    """
    return [
        Edit(
            RadixTree.take_tail,
            {
                "node.block_ids[keep:]": "node.block_ids[:num_blocks]",
                "    if keep:\n": (
                    "    if keep:\n"
                    "        cut = num_blocks * self.block_bytes\n"
                    "        del node.parent.children[node.key]\n"
                    "        node.edge = node.edge[cut:]\n"
                    "        node.block_ids = node.block_ids[num_blocks:]\n"
                    "        node.key = bytes(node.edge[: self.block_bytes])\n"
                    "        node.parent.children[node.key] = node\n"
                ),
            },
        ),
    ]


@breaks("E2")
def the_children_of_an_evicted_node_move_up():
    """An inner node is evicted, and its children are hung below its parent.

    Found there, their KV was computed after other tokens.
    """
    return [
        Edit(RadixTree.store, {"if node.evictable:": "if False:"}),
        Edit(Locks.unlock, {" and not leaf.num_resident_children": ""}),
        Edit(RadixTree.take_tail, {"assert not node.children": "assert True"}),
        Edit(
            RadixTree._remove,
            {
                "    node.alive = False\n": (
                    "    node.alive = False\n"
                    "    node.parent.children.update(node.children)\n"
                    "    for child in node.children.values():\n"
                    "        child.parent = node.parent\n"
                )
            },
        ),
    ]


@breaks("E3")
def a_matched_inner_node_is_not_refreshed():
    """Only leaves are stamped: the prefix just hit goes before an entry that never was.

    mini-sglang, mended in PR 124: where a match split a node, the walk returned before it wrote the
    time.
    """
    only_leaves = {
        "        node.tick = tick\n": (
            "        if not node.children:\n            node.tick = tick\n"
        )
    }
    return [Edit(RadixTree.touch, only_leaves), Edit(RadixTree.hit, only_leaves)]


@breaks("E3")
def a_release_does_not_refresh():
    """A long answer looks as old as its prompt's arrival."""
    return [Edit(Ending.finish, {"    tree.touch(node, counts.tick)\n": ""})]


@breaks("E3")
def the_most_recent_goes_first():
    """The queue is upside down: MRU under the name of LRU."""
    return [
        Edit(
            LRU.on_evictable,
            {"    tick = node.tick\n": "    tick = -node.tick\n"},
        ),
        Edit(LRU.victim, {"node.tick == tick": "node.tick == -tick"}),
    ]


@breaks("E6")
def an_evicted_entry_stays_in_the_map():
    """The block is free and still found: whoever gets it next overwrites the KV being served.

    nano-vllm 163, vLLM 4761.
    """
    return [
        Edit(
            RadixTree._remove,
            {"    del parent.children[node.key]\n": ""},
        )
    ]
