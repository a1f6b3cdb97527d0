"""What one rank of an engine holds: its blocks by hash, its roots by namespace, its orphans.

A rank is one replica with a cache of its own; a model with several kinds of attention has a group
of layers for each, and the groups evict apart. Each (rank, group) is a shard. Nothing of one shard
is ever found in another.
"""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import numpy as np

from radixlab.cache.tokens import TOKEN_BYTES
from radixlab.events import Namespace
from radixlab.observe.kv.forest import ORPHAN, Block, Forest, Node, walk
from radixlab.observe.kv.hashes import fitting, namespace_of
from radixlab.observe.kv.wire import GPU, Hash, Removed, Stored

MAX_MEDIA = 8
"""Most media of one block, besides the device."""
PARTIAL = ("sliding", "mamba", "chunked", "cross", "encoder")
"""Kinds of attention that need only a part of a prefix: their groups do not limit a match."""


class Shard:
    """One rank's blocks in one group of layers."""

    def __init__(self, forest: Forest, label: str, faults: Counter[str]) -> None:
        self.forest = forest
        self.label = label
        """Shown with its namespaces; "" if there is no other shard."""
        self.limits_matches = True
        self.blocks: dict[Hash, Block] = {}
        self.roots: dict[Namespace | None, Node] = {}
        self.orphans: dict[Hash, Node] = {}
        self.touched: dict[tuple[Hash, str], int] = {}
        """When a block was last stored on a medium or removed from it, while payloads miss."""
        self.debts: Counter[Hash] = Counter()
        """Copies that were removed before they were stored, while payloads are missing."""
        self._faults = faults

    def rename(self, label: str) -> bool:
        """Show another name with the namespaces; return whether anything shows it now."""
        self.label = label
        for namespace, root in self.roots.items():
            root.namespace = self._shown(namespace)
        for name, root in self.orphans.items():
            root.namespace = self._shown((ORPHAN, _as_text(name)))
        return bool(self.blocks)

    def note_kind(self, kind: str) -> None:
        """Note which kind of attention the group has."""
        self.limits_matches = not any(part in kind for part in PARTIAL)

    def nodes(self) -> Iterator[Node]:
        """Yield every node, parents first, orphans last."""
        for root in (*self.roots.values(), *self.orphans.values()):
            for node in walk(root):
                if node.parent is not None:
                    node.namespace = node.parent.namespace
                yield node

    # ---- look-up

    def num_cached_blocks(self, keys: list[bytes], namespace: Namespace | None, medium: str) -> int:
        """Count the leading blocks of a prompt that are there, on this medium or on any ("")."""
        root = self.roots.get(namespace)
        if root is None:
            return 0
        node, index = root, -1
        for num_found, key in enumerate(keys):
            block = self.forest.after(node, index, key)
            if block is None or not (not medium or _has(block, medium)):
                return num_found
            node, index = block.node, block.index
        return len(keys)

    # ---- what an event says

    def store(self, event: Stored, seq: int | None, late: bool) -> None:
        """Add blocks, or note that another medium has them too."""
        keys, size = _tokens_of(event), event.block_size * TOKEN_BYTES
        extra = event.extra_keys or [None] * len(event.block_hashes)
        before = self._before(event, extra[0])
        new: list[Block] = []
        to_device: list[Block] = []
        for index, name in enumerate(event.block_hashes):
            block = self.blocks.get(name)
            if not self._is_void(name, event, seq, late):
                if block is None:
                    key = keys[index * size : (index + 1) * size]
                    is_first = index == 0 and event.parent_block_hash is None
                    block = self._add(before, name, key + _apart(event, extra[index], is_first))
                    if block is None:
                        break
                    new.append(block)
                self._note(block, event, to_device)
            passed, before = before, block if block is not None else self._orphans_of(name)
            self._forget_if_empty(passed)
        self._forget_if_empty(before)
        self._settle(new, to_device)

    def store_copies(self, event: Stored, seq: int | None, late: bool) -> None:
        """Note that a medium has blocks of which only the names are told."""
        to_device: list[Block] = []
        for name in event.block_hashes:
            block = self.blocks.get(name)
            if block is None:
                self._faults["unknown_block"] += 1
            elif not self._is_void(name, event, seq, late):
                self._note(block, event, to_device)
        self._settle([], to_device)

    def remove(self, event: Removed, seq: int | None, late: bool) -> None:
        """Take blocks off a medium; those that no medium has any longer are gone."""
        medium, to_host, gone = event.medium or GPU, list[Block](), list[Block]()
        for name in event.block_hashes:
            block = self.blocks.get(name)
            if self._is_void(name, event, seq, late):
                continue
            if block is None or not _has(block, medium):
                if seq is not None and _is_counted(event):
                    self.debts[name] += 1
                else:
                    self._faults["unknown_block"] += 1
                continue
            if medium == GPU:
                block.copies -= 1
            else:
                block.media -= {medium}
            if block.copies == 0 and block.media and medium == GPU:
                to_host.append(block)
            elif block.copies == 0 and not block.media:
                gone.append(block)
        self._bury(gone + self._no_room(self.forest.change_tier(to_host, resident=False)))

    def forget_untouched(self, seq: int) -> None:
        """Forget all that no later payload has named: a reset is told late."""
        left: dict[str, list[Hash]] = {}
        for name, block in self.blocks.items():
            block.copies = min(block.copies, 1)
            for medium in (GPU, *block.media):
                if _has(block, medium) and self.touched.get((name, medium), -1) <= seq:
                    left.setdefault(medium, []).append(name)
        for medium, names in left.items():
            self.remove(Removed(names, medium), None, late=False)

    def clear(self) -> None:
        """Forget everything."""
        forest = self.forest
        for node in list(self.nodes()):
            for block in node.blocks:
                (forest.device if node.resident else forest.host).give(block.id)
        for kept in (self.blocks, self.roots, self.orphans, self.touched, self.debts):
            kept.clear()

    # ---- inside

    def _forget_if_empty(self, before: Block | Node) -> None:
        if isinstance(before, Node):
            self.forest.forget_if_empty(before)

    def _before(self, event: Stored, keys: list[object] | None) -> Block | Node:
        """Return what the first stored block follows."""
        if event.parent_block_hash is not None:
            parent = self.blocks.get(event.parent_block_hash)
            return parent or self._orphans_of(event.parent_block_hash)
        namespace, _ = namespace_of(event, keys)
        return self.forest.root(self.roots, namespace, self._shown(namespace))

    def _orphans_of(self, name: Hash) -> Node:
        shown = self._shown((ORPHAN, _as_text(name)))
        return self.forest.root(self.orphans, name, shown)

    def _shown(self, namespace: Namespace | None) -> Namespace | None:
        """Name a namespace so that two shards are told apart, and a recording may have it."""
        if not self.label and namespace is None:
            return None
        kind, name = namespace or ("", "")
        return fitting(", ".join(filter(None, (self.label, kind)))), fitting(name)

    def _is_void(self, name: Hash, event: Stored | Removed, seq: int | None, late: bool) -> bool:
        """Whether a later payload has said something else of this block; remember this one.

        Copies are counted, so there it matters only that nothing is counted twice.
        """
        if seq is None:
            return False
        last = self.touched.get((name, event.medium or GPU), -1)
        self.touched[name, event.medium or GPU] = max(seq, last)
        if not _is_counted(event):
            return late and last > seq
        if late and isinstance(event, Stored) and self.debts[name] > 0:
            self.debts[name] -= 1
            return True
        return False

    def _add(self, before: Block | Node, name: Hash, key: bytes) -> Block | None:
        """Place a block; None if the pool is full."""
        node, index = (before, -1) if isinstance(before, Node) else (before.node, before.index)
        block = self.forest.after(node, index, key)
        has_room = len(self.blocks) <= 2 * (self.forest.device.size + self.forest.host.size)
        if block is not None and has_room:  # the same content under a second name
            self._faults["second_name"] += 1
            block.hashes.append(name)
        else:
            block = self.forest.place(before, name, key) if has_room else None
        if block is None:
            self._faults["over_limit"] += 1
            return None
        self.blocks[name] = block
        return block

    def _note(self, block: Block, event: Stored, to_device: list[Block]) -> None:
        """Note that the event's medium has the block."""
        medium = event.medium or GPU
        if medium != GPU:
            if len(block.media) < MAX_MEDIA:
                block.media |= {medium}
        elif (
            block.copies == 0 or event.group_idx is not None
        ):  # vLLM's duplicates have an event each
            block.copies += 1
            if not block.node.resident:
                to_device.append(block)

    def _settle(self, new: list[Block], to_device: list[Block]) -> None:
        """Bring blocks to their tiers, and orphans to their parents."""
        for block in self.forest.change_tier(to_device, resident=True):
            self._faults["over_limit"] += 1
            block.copies = 0
        to_host = [block for block in new if block.copies == 0 and block.node.resident]
        self._bury(self._no_room(self.forest.change_tier(to_host, resident=False)))
        for block in new:
            for name in block.hashes:
                if (root := self.orphans.get(name)) and name in self.blocks:
                    self._adopt(block, root)

    def _adopt(self, block: Block, root: Node) -> None:
        """Let the orphans that waited for a block follow it, unless it is one of them."""
        if self.forest.is_below(block, root):
            circle = [below for node in walk(root) for below in node.blocks]
            self._faults["circle"] += len(circle)
            self._bury(circle)
        else:
            self._bury(self.forest.adopt(block, root))

    def _no_room(self, blocks: list[Block]) -> list[Block]:
        self._faults["over_limit"] += len(blocks)
        return blocks

    def _bury(self, blocks: list[Block]) -> None:
        """Take blocks out of the tree; whatever follows them is an orphan now."""
        for block in blocks:
            for name in block.hashes:
                self.blocks.pop(name, None)
        for block in self.forest.take_off(blocks):
            root = self._orphans_of(block.hashes[0])
            twins = self.forest.orphan(block, root)
            self._bury_names(twins)
            self.forest.take_off([*twins, block])
            self.forest.forget_if_empty(root)

    def _bury_names(self, blocks: list[Block]) -> None:
        for block in blocks:
            for name in block.hashes:
                self.blocks.pop(name, None)


def _as_text(name: Hash) -> str:
    return name.hex() if isinstance(name, bytes) else f"{name:016x}"


def _tokens_of(event: Stored) -> bytes:
    return np.array(event.token_ids, np.int32).tobytes()


def _apart(event: Stored, keys: list[object] | None, is_first: bool) -> bytes:
    """Return what sets a block apart from others with its tokens and its parent."""
    if not keys:
        return b""
    if is_first:
        rest = namespace_of(event, keys)[1]
    else:
        mine = keys[1:] if keys[0] == event.lora_name else keys
        rest = repr(mine) if mine else ""
    return sha256(rest.encode()).digest() if rest else b""


def _is_counted(event: Stored | Removed) -> bool:
    """Whether duplicates of a block have an event each: vLLM's on the device, with their group."""
    return event.group_idx is not None and (event.medium or GPU) == GPU


def _has(block: Block, medium: str) -> bool:
    return block.copies > 0 if medium == GPU else medium in block.media
