"""Broken locks and lifetimes: what is in use goes, what is not stays, what is free is freed."""

from radixlab.cache.admission import Admission
from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.ending import Ending
from radixlab.cache.eviction import LRU, LeafHeap
from radixlab.cache.locks import Locks
from radixlab.cache.node import Node
from radixlab.cache.supply import BlockSupply
from radixlab.cache.tree import RadixTree
from tests.mutants.edits import Edit, breaks


@breaks("L1")
def a_lock_skips_its_own_node():
    """Ancestors are protected, the node itself is not.

    mini-sglang PR 52: the loop over the path began at the handle's parent.
    """
    return [
        Edit(Locks.lock, {"if node.evictable:": "if False:"}),
        Edit(Node.locked.fget, {"self.num_receipts > 0 or ": ""}),
    ]


@breaks("L1")
def a_lock_stops_at_its_node():
    """The ancestors do not hear of the lock and count as evictable."""
    return [
        Edit(
            Locks.lock,
            {"while above.parent is not None:": "while above.parent and not num_blocks:"},
        ),
        Edit(
            Locks.unlock,
            {"and not (node.num_receipts": "and not (num_blocks or node.num_receipts"},
        ),
    ]


@breaks("L2")
def a_receipt_is_good_twice():
    """A second release takes a second reader's lock, and the count can go below zero.

    SGLang's `RadixCache.dec_lock_ref`: unlocked twice, `lock_ref` is -1 and nobody says so.
    """
    return [Edit(Locks.unlock, {"    if receipt.released:": "    if False:"})]


@breaks("L3")
def every_unlock_makes_blocks_evictable():
    """The sum moves though another reader still holds the node: it counts what may not go.

    SGLang 35270: evictable blocks were counted twice.
    """
    return [
        Edit(
            Locks.unlock,
            {
                "    leaf.num_receipts -= 1\n": (
                    "    leaf.num_receipts -= 1\n"
                    "    self.num_evictable_blocks += leaf.num_blocks * bool(leaf.num_receipts)\n"
                )
            },
        )
    ]


@breaks("L3")
def a_lock_does_not_make_blocks_protected():
    """What is locked still counts as evictable: promised to the next request, and not there."""
    return [
        Edit(
            Locks.lock,
            {"self.num_evictable_blocks -= num_blocks": "pass"},
        )
    ]


@breaks("L4")
def a_locked_leaf_is_evicted():
    """The policy does not look at locks, and `trim` believes it: KV that is being read goes."""
    return [
        Edit(LeafHeap.first, {"self._live(node) and": "node.alive and not node.children and"}),
        Edit(LRU.victim, {"and node.evictable": "and node.alive and not node.children"}),
        Edit(RadixTree.trim, {"(node.evictable and": "(node.alive and not node.children and"}),
        Edit(BlockSupply.give_up, {"or not node.evictable": "or not node.alive or node.children"}),
    ]


@breaks("L5")
def room_is_made_before_the_hit_is_locked():
    """A request that needs room evicts its own hit, and then builds on it.

    Seen in the review of vLLM 10507.
    """
    return [
        Edit(
            Admission.admit,
            {
                "    # Lock: before": (
                    "    table = self._supply.take(num_new, here.runs)\n    # Lock: before"
                ),
                "sequence.block_table = self._supply.take(num_new, here.runs)": (
                    "sequence.block_table = table"
                ),
            },
        )
    ]


@breaks("L6")
def the_hit_counts_as_room():
    """Admitted on blocks that its own lock is about to take out of reach.

    The arithmetic of a review, vLLM 11565: need 4, free 5, and 2 of the 5 are the hit.
    """
    return [
        Edit(BlockSupply.require, {"most -= about_to_lock.num_blocks": "pass"}),
    ]


@breaks("L7")
def a_failed_admission_keeps_its_lock():
    """Room is counted only after the lock, and a refusal does not give the lock back.

    vLLM 11565 moved the taking of the hit behind the check of what is free.
    """
    return [
        Edit(
            Admission.admit,
            {
                "    self._require(num_new + keep_blocks, here)\n": "",
                "    # Take.\n": "    self._supply.require(num_new)\n    # Take.\n",
            },
        )
    ]


@breaks("L7")
def a_failed_admission_keeps_its_split():
    """The tree is cut for a request that is then refused."""
    return [
        Edit(
            Admission.admit,
            {"    self._require(": "    tree.cut(match)\n    self._require("},
        )
    ]


@breaks("L8")
def an_abort_in_prefill_leaks():
    """What an aborted request had not committed yet stays taken.

    SGLang 38981: an abort in the middle of a prefill.
    """
    return [Edit(Ending.finish, {"if len(private):": 'if len(private) and reason != "aborted":'})]


@breaks("L8")
def a_finished_request_is_finished_again():
    """An abort that arrives after the end frees a second time what may be another's by now.

    mini-sglang PR 111: abort while finishing.
    """
    return [
        Edit(
            Ending.finish,
            {
                "        raise self._owner.not_running(sequence)\n": (
                    "        if sequence.receipt.released:\n"
                    "            self._allocator.free(sequence.block_table[sequence.node.end :])\n"
                    "            return\n"
                )
            },
        )
    ]


@breaks("L8")
def a_preempt_frees_the_cached_prefix_too():
    """The whole table is freed, with the blocks that belong to the tree."""
    return [
        Edit(
            Ending.finish,
            {
                "sequence.block_table[node.end :]": (
                    'sequence.block_table[0 if reason == "preempted" else node.end :]'
                )
            },
        )
    ]


@breaks("L10")
def a_second_free_is_believed():
    """A block that is free is freed again, and handed out twice.

    LMCache 5005.
    """
    return [
        Edit(BlockAllocator.free, {"if place >= first and": "if False and"}),
        Edit(BlockAllocator._any_free, {"return bool(": "return False and bool("}),
        Edit(
            BlockAllocator._push,
            {"(many_free or self._keep_places(free, old))": "True"},
        ),
    ]


@breaks("L10")
def a_block_named_twice_is_freed_twice():
    """One call lists a block twice, and it is in the free list twice.

    vLLM 42571: a block of a sliding window was listed twice.
    """
    return [
        Edit(BlockAllocator._push, {"if self._keep_places(index, new) and (": "if True and ("}),
    ]
