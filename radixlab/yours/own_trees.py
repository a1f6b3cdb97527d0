"""A learner's tree beside the cache: every answer is compared with the ledger before it counts.

A match may be shorter than the ledger's: the request then finds less, and `num_lost_tokens` says
how much. Any other difference is a `PartFault`. This file drives the learner's tree: it looks up,
inserts, locks and evicts by the methods of exercise 8.5.1 alone. `ledger.py` knows the right
answers.

A policy can rule a tree that chooses its own victims: every leaf that must stay is locked, by a
*guard*, so that only the victim can go.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Any

from radixlab.cache.found import Found
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Node
from radixlab.cache.pins import Pin
from radixlab.cache.sequence import Sequence
from radixlab.cache.tokens import Tokens
from radixlab.escape import count
from radixlab.events import Namespace
from radixlab.guarded_call import Watch
from radixlab.yours.asked import AskedTree, Ids, Key, MakeTree
from radixlab.yours.ledger import Ledger, path_ids, path_tokens, tail
from radixlab.yours.ruling import Ruling


@dataclass(frozen=True, slots=True)
class Held:
    """A lock in a learner's tree."""

    tree: AskedTree
    receipt: Any
    blocks: tuple[int, ...]
    """What it protects, from the root on."""


class OwnTrees:
    """A learner's trees, one for each namespace, and the locks that are held in them."""

    def __init__(
        self, make_tree: MakeTree, manager: KVCacheManager, ruling: Ruling, watch: Watch
    ) -> None:
        self._make_tree, self._manager, self._watch = make_tree, manager, watch
        self._ruling, self._ledger = ruling, Ledger(manager)
        self._size = manager.config.block_size
        self.trees: dict[Namespace | None, AskedTree] = {}
        self.held: dict[int, Held] = {}
        """By sequence id."""
        self._pins: list[tuple[Pin, Held]] = []
        self._guards: dict[int, Held] = {}
        """By node id."""
        self.num_wanted = 1
        """How many blocks to ask for at once if the tree chooses its victims itself."""
        self._chosen: set[int] = set()
        """Blocks that the learner's tree has evicted, and the ledger still has."""
        self._last: Node | None = None
        self.num_lost_tokens = 0
        """Tokens that the ledger had, and the tree did not find."""
        self._evicting = self.tree(None)

    def tree(self, namespace: Namespace | None) -> AskedTree:
        """Return the tree of a namespace; make it for the first request."""
        if namespace not in self.trees:
            self.trees[namespace] = AskedTree(self._make_tree, self._size, self._watch)
        return self.trees[namespace]

    # ---- the calls of a request

    def find(self, prompt: Tokens, namespace: Namespace | None) -> tuple[Found, Held]:
        """Look a prompt up and lock what is found; one token is left to compute."""
        tree, whole = self.tree(namespace), (len(prompt) - 1) // self._size
        node, ids = tree.match(_key(prompt.token_ids[:-1]))
        found = self._ledger.found(tree, prompt, ids, whole, namespace)
        most = self._ledger.find(prompt, whole, namespace).num_blocks
        self.num_lost_tokens += (most - len(ids)) * self._size
        return found, Held(tree, tree.lock(node), tuple(ids))

    def insert(self, sequence: Sequence, offered: Ids) -> None:
        """Offer the blocks that a sequence has registered, and move its lock to where they end."""
        tree, end = self.tree(sequence.namespace), sequence.node.end
        own, mine = sequence.block_table[:end].tolist(), offered[:end]
        answer = tree.insert(_key(sequence.token_ids[: end * self._size]), mine)
        if answer.block_ids != own:
            raise self._ledger.wrong_ids(tree, answer.block_ids, own, mine)
        duplicates = [block for block, kept in zip(mine, own, strict=True) if block != kept]
        if answer.duplicate_block_ids != duplicates:
            said = f"duplicate_block_ids is {answer.duplicate_block_ids}"
            raise tree.fault("M10", f"{said}; it should be {duplicates}")
        num_cached = end - self._num_stored
        if answer.num_cached_blocks != num_cached:
            said = f"num_cached_blocks is {answer.num_cached_blocks}"
            raise tree.fault("M9", f"{said}; it should be {num_cached}")
        before = self.held[sequence.id]
        self.held[sequence.id] = Held(tree, tree.lock(answer.node), tuple(own))
        self.unlock(before)

    _num_stored = 0

    def note_stored(self, num_blocks: int) -> None:
        """Take note of how many blocks the ledger has gained since the last call."""
        self._num_stored = num_blocks

    def unlock(self, held: Held) -> None:
        """Give a lock back."""
        held.tree.unlock(held.receipt)

    def end(self, sequence: Sequence) -> None:
        """Give back the lock of a sequence that ended."""
        self.unlock(self.held.pop(sequence.id))

    def pin(self, pin: Pin) -> None:
        """Lock what a pin keeps."""
        self._pins.append((pin, self._lock_node(pin.receipt.node)))

    # ---- after a call

    def settle(self) -> None:
        """Apply what the call did on the side: evictions, moved locks, ended pins."""
        gone, changed = self._ruling.take_news()
        self.num_wanted = 1
        if self._ruling.is_stale or self.held.keys() - self._manager.sequences.keys():
            self._fill()
            return
        self._let_pins_go()
        if self._is_ruled:
            before = [guard for node, _ in gone if (guard := self._guards.pop(node.id, None))]
            for node in changed:
                self._guard(node)  # what stays is locked first, because it may become a leaf below
            for guard in before:
                self.unlock(guard)
            self._evict(gone)
        self._follow_locks()

    @property
    def _is_ruled(self) -> bool:
        """Whether a policy chooses the victims."""
        return self._ruling.policy is not None or self._ruling.choose is None

    def _evict(self, gone: Many[tuple[Node, list[int]]]) -> None:
        """Let each tree evict what the policy has chosen there."""
        chosen: dict[Namespace | None, list[int]] = {}
        for node, block_ids in gone:
            chosen.setdefault(node.namespace, []).extend(block_ids)
        for namespace, block_ids in chosen.items():
            tree = self.tree(namespace)
            ids = tree.evict(len(block_ids))
            if sorted(ids) != sorted(block_ids):
                raise self._ledger.wrong_victims(tree, ids, block_ids)

    def _follow_locks(self) -> None:
        for sequence in self._manager.sequences.values():
            before = self.held.get(sequence.id)
            path = tuple(sequence.block_table[: sequence.node.end].tolist())
            if before is None or before.blocks != path:
                self.held[sequence.id] = self._lock_node(sequence.node)
                if before is not None:
                    self.unlock(before)

    def _let_pins_go(self) -> None:
        """Unlock what ended pins have kept: it may be evicted in the same call."""
        ended = [held for pin, held in self._pins if not pin.active]
        self._pins = [(pin, held) for pin, held in self._pins if pin.active]
        for held in ended:
            self.unlock(held)

    def _guard(self, node: Node) -> None:
        """Lock a leaf that the policy has not chosen; let go of one that stopped being a leaf."""
        if node.evictable and node.id not in self._guards:
            self._guards[node.id] = self._lock_node(node)
        elif not node.evictable and node.id in self._guards:
            self.unlock(self._guards.pop(node.id))

    def _lock_node(self, at: Node) -> Held:
        """Lock what the ledger holds from the root to the end of a node, and nothing else."""
        tree, ids = self.tree(at.namespace), path_ids(at)
        node, found = tree.match(_key(path_tokens(at)))
        if found != ids:
            if found == ids[: len(found)]:
                what = f"it finds {len(found)} of {count(len(ids), 'cached block')}: {ids}"
                raise tree.fault("M2", what)
            raise self._ledger.wrong_ids(tree, found, ids, ids)
        return Held(tree, tree.lock(node), tuple(ids))

    def choose(self, leaves: dict[int, Node]) -> Node | None:
        """Let the tree evict as much as is wanted; each call returns one leaf that it took from."""
        if not leaves:
            return None
        if not self._chosen:
            self._let_evict(leaves)
        last = leaves.get(self._last.id) if self._last is not None else None
        for leaf in [last] if last else []:
            if tail(leaf) in self._chosen:
                return self._take(leaf)
        for leaf in leaves.values():
            if tail(leaf) in self._chosen:
                return self._take(leaf)
        raise self._ledger.wrong_victims(self._evicting, sorted(self._chosen), None)

    def _let_evict(self, leaves: dict[int, Node]) -> None:
        """Ask for all blocks at once, or for one where several tenants have leaves."""
        self._let_pins_go()
        spaces = {leaf.namespace for leaf in leaves.values()}
        oldest = min(leaves.values(), key=lambda leaf: leaf.tick) if len(spaces) > 1 else None
        num = self.num_wanted if oldest is None else 1
        self._evicting = self.tree(oldest.namespace if oldest else next(iter(spaces)))
        ids = self._evicting.evict(num)
        if len(ids) != num or len(set(ids)) != num:
            raise self._ledger.wrong_victims(self._evicting, ids, None, num)
        self._chosen = set(ids)

    def _take(self, leaf: Node) -> Node:
        self._chosen.discard(tail(leaf))
        self._last = leaf
        return leaf

    # ---- starting again

    def _fill(self) -> None:
        """Make new trees, and let them hold what the ledger holds: the cache was cleared."""
        self._ruling.is_stale = False
        self.trees, self.held, self._guards = {}, {}, {}
        for node in self._ledger.nodes():
            if not node.children:
                self.tree(node.namespace).insert(_key(path_tokens(node)), path_ids(node))
        pins, self._pins = [pin for pin, _ in self._pins if pin.active], []
        for pin in pins:
            self.pin(pin)
        self._follow_locks()
        if self._is_ruled:
            for leaf in list(self._ruling.leaves.values()):
                self._guard(leaf)

    # ---- what is held now

    def receipts(self) -> Many[Held]:
        """List every lock that is held now."""
        pinned = [held for _, held in self._pins]
        return [*self.held.values(), *pinned, *self._guards.values()]


def _key(token_ids: Any) -> Key:
    return tuple(token_ids.tolist())
