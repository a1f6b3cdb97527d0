"""Starting over after a fault: recovery from a call that failed half-way.

A call that raises one of the cache's errors has changed nothing. An unforeseen exception (a
listener or a policy that raises, a lack of memory, an interrupt) can occur between any two lines,
and may leave contradictions: a block without an owner, a node without its lock, a load-back that
was never ordered. Damaged state cannot be told from sound state. But all of it can be discarded,
because it is only a cache: the owner of the requests recomputes their tokens. (Candea and Fox,
"Crash-only software", HotOS 2003.)

Nothing here relies on the old state, and a restart that fails may be repeated.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields

from radixlab.cache.eviction import LRU
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Receipt
from radixlab.cache.tree import RadixTree
from radixlab.events import CacheRestarted


def restart(manager: KVCacheManager) -> None:
    """Discard every sequence, pin, transfer and cached block, whatever their state.

    Then every block is free, all earlier handles are invalid, and only the counters are kept.
    """
    for receipt in list(_receipts(manager)):
        receipt.released = True
    for sequence in manager.sequences.values():
        sequence.running = None
    manager.sequences.clear()
    manager.pins.forget()
    manager.transit.forget()
    _forget_nodes(manager.tree)
    manager.allocator.reset()
    if manager.host:
        manager.host.reset()
    if manager.parts.memory:
        manager.parts.memory.clear()
    if emit := manager.log.emit:
        kept = {f.name: getattr(manager.counts, f.name) for f in fields(manager.counts)}
        kept.pop("partial_hit_tokens")
        emit(CacheRestarted(*manager.log.stamp(), site="restart.told", **kept))


def _receipts(manager: KVCacheManager) -> Iterator[Receipt]:
    """Yield all receipts; an interrupted sequence may not have one yet."""
    for sequence in manager.sequences.values():
        with suppress(AttributeError):
            yield sequence.receipt
    yield from manager.transit.receipts()
    yield from manager.pins.receipts()


def _forget_nodes(tree: RadixTree) -> None:
    """Empty the tree; its policy may still know old nodes, but ids are never reused."""
    for node in list(tree.nodes()):
        node.alive = node.evictable = False
        if node.resident:
            with suppress(Exception):  # the policy may be damaged too, or may have caused the fault
                tree.policy.on_remove(node)
    tree.forget_roots()
    if _names_a_victim(tree):
        tree.report_to(_another(tree))


def _names_a_victim(tree: RadixTree) -> bool:
    """Whether the policy is damaged: in an empty tree it names a victim, or raises."""
    try:
        return tree.policy.victim() is not None
    except Exception:
        return True


def _another(tree: RadixTree) -> "LRU":
    """Make a policy of the same kind, or LRU if its class cannot be called without arguments."""
    try:
        return type(tree.policy)()  # type: ignore[return-value]  # any policy, by its protocol
    except Exception:
        return LRU()
