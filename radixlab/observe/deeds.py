"""What an event did, in words that follow a run's name: "lru evicted 2 blocks (3–4) of node 1".

These words give no reasons; the why line of the view does. The browser has the same words
(viz/js/deeds.js); a test compares them for every type of event.
"""

from collections.abc import Callable
from typing import Any

from radixlab.escape import count
from radixlab.events import Event, Runs


def deed_words(event: Event) -> str:
    """Say what the event did."""
    return _RULES[type(event).__name__](event)


def _blocks(runs: Runs) -> str:
    """Write "2 blocks (3-4)", without a list where it would be long."""
    num = sum(n for _, n in runs)
    ids = ", ".join(str(a) if n == 1 else f"{a}–{a + n - 1}" for a, n in runs[:4])
    return f"{count(num, 'block')} ({ids}{', …' if len(runs) > 4 else ''})"


def _removed(e: Any) -> str:
    verb = "removed" if "corrupt" in e.reason else "evicted"
    return f"{verb} {_blocks(e.block_runs)} of node {e.node_id}"


_RULES: dict[str, Callable[[Any], str]] = {
    "SequenceStarted": lambda e: (
        f"started sequence {e.sequence_id} with {count(len(e.token_ids), 'token')}"
    ),
    "TokensAppended": lambda e: (
        f"appended {count(len(e.token_ids), 'token')} to sequence {e.sequence_id}"
    ),
    "PrefixMatched": lambda e: (
        f"found {e.hit_tokens} of {count(e.num_tokens, 'token')} for sequence {e.sequence_id}"
    ),
    "BlocksAllocated": lambda e: f"took {_blocks(e.block_runs)} for sequence {e.sequence_id}",
    "BlocksFreed": lambda e: f"freed {_blocks(e.block_runs)} of sequence {e.sequence_id}",
    "NodeSplit": lambda e: f"split node {e.node_id} after {count(e.num_blocks, 'block')}",
    "NodeLocked": lambda e: f"locked node {e.node_id}",
    "NodeUnlocked": lambda e: f"unlocked node {e.node_id}",
    "BlockStored": lambda e: f"stored {_blocks(e.block_runs)} in node {e.node_id}",
    "BlockRemoved": _removed,
    "WrittenBack": lambda e: f"wrote back {_blocks(e.block_runs)} of node {e.node_id}",
    "LoadedBack": lambda e: f"loaded back {_blocks(e.block_runs)} of node {e.node_id}",
    "BlocksDeduplicated": lambda e: (
        f"freed duplicate {_blocks(e.freed_runs)} of sequence {e.sequence_id}"
    ),
    "BlockCopied": lambda e: f"copied block {e.src} to block {e.dst} for sequence {e.sequence_id}",
    "TransfersCompleted": lambda e: f"completed {count(len(e.transfers), 'transfer')}",
    "SequenceForked": lambda e: f"forked sequence {e.sequence_id} from sequence {e.parent_id}",
    "RequestFinished": lambda e: f"ended sequence {e.sequence_id} ({e.reason})",
    "RequestPreempted": lambda e: f"preempted sequence {e.sequence_id}",
    "OutOfBlocks": lambda e: f"was out of blocks ({e.num_needed} needed, {e.num_free} free)",
    "BlocksQuarantined": lambda e: f"put {_blocks(e.block_runs)} in quarantine",
    "CacheRestarted": lambda e: "restarted the cache",
    "AllBlocksCleared": lambda e: "cleared the cache",
    "TreeResynced": lambda e: "changed the tree in a way that no other event tells",
    "PartBroke": lambda e: f"broke rule {e.rule} in {e.call}",
    "StreamReported": lambda e: f"reported of its stream: {e.cause.replace('_', ' ')}",
}
