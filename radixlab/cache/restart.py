"""Starting over after a fault: the way back from a call that broke off half-way.

A call of the manager that raises one of the cache's errors has changed nothing. An exception that
nobody foresaw (a listener or a policy that raises, no memory left, an interrupt) can come between
any two lines of a call, and what it leaves may contradict itself: a block without a holder, a node
without its lock, a load-back that was never ordered. What is torn cannot be told from what is
sound. But all of it can be forgotten, for the cache is only a cache: whoever owns the requests
computes their tokens again. (Candea and Fox, "Crash-only software", HotOS 2003.)

Nothing here relies on what it finds, and it may be repeated if it fails itself.
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
    """Forget every sequence, pin, transfer and cached block, whatever state they are in.

    After that every block is free, all earlier handles are dead, and only the counters stay.
    """
    for receipt in list(_receipts(manager)):
        receipt.released = True
    manager.sequences.clear()
    manager.pins.forget()
    manager.transit.forget()
    _forget_nodes(manager.tree)
    manager.allocator.reset()
    if manager.host:
        manager.host.reset()
    if manager.memory:
        manager.memory.clear()
    if emit := manager.log.emit:
        kept = {f.name: getattr(manager.counts, f.name) for f in fields(manager.counts)}
        kept.pop("partial_hit_tokens")
        emit(CacheRestarted(*manager.log.stamp(), site="restart.told", **kept))


def _receipts(manager: KVCacheManager) -> Iterator[Receipt]:
    """Yield whatever protects a node; a sequence that was cut off may have no receipt yet."""
    for sequence in manager.sequences.values():
        with suppress(AttributeError):
            yield sequence.receipt
    yield from manager.transit.receipts()
    yield from manager.pins.receipts()


def _forget_nodes(tree: RadixTree) -> None:
    """Empty the tree. What its policy still knows of dead nodes does no harm: no id comes twice."""
    for node in list(tree.nodes()):
        node.alive = False
        if node.resident:
            with suppress(Exception):  # the policy may be torn too, or have caused all this
                tree.policy.on_remove(node)
    tree.forget_roots()
    if _names_a_victim(tree):
        tree.report_to(_another(tree))


def _names_a_victim(tree: RadixTree) -> bool:
    """Whether the policy is torn: it finds something to evict in an empty tree, or fails."""
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
