"""Broken matching: what a prompt hits, how a node is split, what enters the tree."""

from radixlab.cache.admission import Admission
from radixlab.cache.commit import Commit
from radixlab.cache.edges import common_blocks
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Node
from radixlab.cache.tree import RadixTree
from tests.mutants.edits import Edit, breaks


@breaks("M1")
def the_whole_prompt_is_matched():
    """A prompt that is cached to its last token leaves none to compute, so there are no logits."""
    return [
        Edit(
            Admission.admit,
            {"(num_tokens - 1) // block_size": "num_tokens // block_size"},
        )
    ]


@breaks("M2")
def a_match_is_rounded_up():
    """The block in which a prompt leaves an edge counts as matched: its tail is another's KV."""
    return [Edit(common_blocks, {"    return low\n": "    return low + 1\n"})]


@breaks("M2")
def a_hit_counts_the_agreeing_tokens_of_a_block():
    """The first tokens of the next block agree, so they count as hit; nobody copied their KV."""
    return [
        Edit(
            Admission.admit,
            {
                "    sequence.priority =": (
                    "    from radixlab.cache.partial import partial_hit\n"
                    "    next_to = partial_hit(match.node, prompt, block_size)\n"
                    "    sequence.hit_tokens += next_to.num_tokens if next_to else 0\n"
                    "    sequence.priority ="
                )
            },
        )
    ]


@breaks("M4")
def a_peek_splits():
    """The look that promises to change nothing cuts the node it ends in.

    mini-sglang's `match_prefix` says it does not modify the cache; it splits and writes times.
    """
    return [
        Edit(
            RadixTree.peek,
            {
                "    return found.on": "    self.cut(found)\n    return found.on",
            },
        )
    ]


@breaks("M4")
def a_match_refreshes_the_half_it_did_not_match():
    """The node is stamped before it is split, so its unmatched half looks just used.

    SGLang's `RadixCache`: a newer entry that has nothing to do with it is evicted instead.
    """
    return [
        Edit(
            Admission.admit,
            {
                "    # Lock: before": (
                    "    if match.child is not None:\n"
                    "        match.child.tick = self._counts.tick + 1\n"
                    "        if match.child.evictable:\n"
                    "            tree.policy.on_evictable(match.child)\n"
                    "    # Lock: before"
                )
            },
        )
    ]


@breaks("M5")
def a_split_locks_only_the_lower_half():
    """The new upper node does not know that what hangs below it is locked.

    mllm 656: after a split, the sum of what may be evicted went below zero.
    """
    return [Edit(Node.split, {"num_locked_children = 1 if self.locked else 0": "num_receipts = 0"})]


@breaks("M5")
def a_split_forgets_the_past():
    """The upper half starts with no hits and no last use.

    SGLang's `RadixCache` copies the hits but not the creation time: to its FIFO policy the oldest
    prefix is the newest once it was split.
    """
    return [Edit(Node.split, {"= self.tick, self.num_hits": "= 0, 0"})]


@breaks("M6")
def a_handle_stays_with_the_upper_half():
    """After a split the old node object is the head: who holds it covers less than it took."""
    return [
        Edit(
            RadixTree.split,
            {
                "    self.num_nodes += 1\n": (
                    "    grandparent, receipts = upper.parent, lower.num_receipts\n"
                    "    for name in ('key', 'edge', 'block_ids', 'num_blocks', 'end', 'tick'):\n"
                    "        mine, others = getattr(upper, name), getattr(lower, name)\n"
                    "        setattr(upper, name, others)\n"
                    "        setattr(lower, name, mine)\n"
                    "    upper, lower = lower, upper\n"
                    "    lower.children = upper.children\n"
                    "    for child in lower.children.values():\n"
                    "        child.parent = lower\n"
                    "    lower.num_locked_children = upper.num_locked_children\n"
                    "    upper.num_locked_children = 1 if lower.num_locked_children else 0\n"
                    "    upper.parent, lower.parent = grandparent, upper\n"
                    "    upper.children = {lower.key: lower}\n"
                    "    grandparent.children[upper.key] = upper\n"
                    "    self.num_nodes += 1\n"
                )
            },
        )
    ]


@breaks("M8")
def a_node_grows_at_the_wrong_end():
    """New block ids go in front, new tokens behind: each block is under another's key."""
    return [
        Edit(Node.lengthen, {"(self.block_ids, block_ids)": "(block_ids, self.block_ids)"}),
    ]


@breaks("M8")
def an_edge_starts_a_block_too_early():
    """A leaf is labelled with the tokens of the block before its own."""
    return [
        Edit(
            RadixTree.store,
            {
                "compact(tokens.view[start:stop])": (
                    "compact(tokens.view[max(0, start - step) :][: stop - start])"
                )
            },
        )
    ]


@breaks("M10")
def a_duplicate_is_freed_and_still_in_the_table():
    """Freed, but the running request's table still names it: use after free.

    mini-sglang: of two equal prompts in one batch, the second went on in blocks that were free.
    """
    return [Edit(Commit._use_the_trees, {"sequence.block_table[start:stop] = kept": "pass"})]


@breaks("M10")
def a_duplicate_is_not_freed():
    """The table is re-pointed and the duplicate forgotten: each pair of equal prompts leaks."""
    return [Edit(Commit._use_the_trees, {"    self._allocator.free(duplicates)": "    pass"})]


@breaks("M12")
def a_partial_block_is_registered():
    """The last block enters the tree half written; the next token goes into a cached block."""
    return [
        Edit(
            KVCacheManager.commit,
            {"limit // self.tree.block_size": "-(-limit // self.tree.block_size)"},
        )
    ]


@breaks("M11")
def a_commit_registers_what_is_not_written():
    """All tokens there are, not those whose KV the caller says is in the pool.

    sglang-jax 982: off by one at the end, for the token sampled last has no KV yet.
    """
    return [
        Edit(KVCacheManager.commit, {"limit = num_written": "limit = sequence.num_tokens"}),
    ]
