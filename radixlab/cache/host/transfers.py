"""The copies of bytes that are under way: on the device, to the host, and back.

The cache only *orders* a transfer; the owner of the KV runs it. Until `complete` says its bytes
have arrived, both ends are held: the source so that it is not reused before it was read, the
destination so that it is not given away while bytes are arriving. An end is held by an extra
reference to its block or, where the tree owns the block, by a lock on its node.

It knows who is held; not why a transfer was ordered, and no bytes.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import TransferError
from radixlab.cache.locks import Locks
from radixlab.cache.node import Node, Receipt
from radixlab.cache.results import BlockIds, Transfer

NAMES = {"copy": "copy", "write_back": "write-back", "load_back": "load-back"}


@dataclass(eq=False, slots=True)
class Lock:
    """A receipt that several transfers share, until the last of them is complete."""

    receipt: Receipt
    num_pending: int


class PendingTransfers:
    """The transfers ordered and not yet completed, in execution order."""

    def __init__(self, locks: Locks, device: BlockAllocator, host: BlockAllocator | None) -> None:
        self._locks = locks
        self._device = device
        self._host = host
        self.pending: dict[Transfer, Lock | None] = {}
        """Each transfer, with the lock on its tree-owned block, if it has one."""
        self._done_before_write: dict[int, int] = {}
        """References to device blocks that will be gone before the block's owner writes to it."""

    def since(self, num: int) -> list[Transfer]:
        """List the transfers after the first `num`."""
        return list(islice(self.pending, num, None))

    def locked_nodes(self) -> list[Node]:
        """List the nodes locked for transfers, one entry per receipt."""
        return [receipt.node for receipt in self.receipts()]

    def receipts(self) -> list[Receipt]:
        """List the receipts held for transfers."""
        return [lock.receipt for lock in dict.fromkeys(filter(None, self.pending.values()))]

    def forget(self) -> None:
        """Drop all pending transfers after a fault, without reading blocks or nodes."""
        self.pending = {}
        self._done_before_write = {}

    def num_tables(self, block_id: int) -> int:
        """Count the references to a private block that forbid writing to it (C3).

        These are the tables that have it, and the copies that still read it. A copy or write-back
        that the owner runs before writing does not count.
        """
        holders = self._device.more_holders.get(block_id, 0)
        return 1 + holders - self._done_before_write.get(block_id, 0)

    def order(self, transfers: list[Transfer], receipt: Receipt | None = None) -> None:
        """Take these in, after all others; `receipt` protects their ends that the tree owns.

        An end that is neither the tree's nor new must have an extra reference already, which passes
        to the transfer: the source of a private copy or of a load-back.

        Rules: C7, H2.
        """
        lock = Lock(receipt, len(transfers)) if receipt else None
        self.pending |= dict.fromkeys(transfers, lock)
        written = [block for transfer in transfers for block in _written_after(transfer)]
        self._device.share(np.array(written, np.int32))
        for block in written:
            self._done_before_write[block] = self._done_before_write.get(block, 0) + 1
        if self._host:
            kept = [transfer.dst for transfer in transfers if transfer.kind == "write_back"]
            self._host.share(np.array(kept, np.int32))

    def complete(self, transfers: list[Transfer]) -> None:
        """Release both ends; raise `TransferError`, changing nothing, if one is not pending.

        Rules: C7.
        """
        mine, seen = {id(transfer) for transfer in self.pending}, set[int]()
        for transfer in transfers:
            if (
                id(transfer) not in mine or id(transfer) in seen
            ):  # an equal one may belong to another manager
                raise TransferError(
                    f"{NAMES.get(transfer.kind, transfer.kind)} of block {transfer.src} "
                    f"to {transfer.dst} is not pending here: completed before?"
                )
            seen.add(id(transfer))
        locks = [self.pending.pop(transfer) for transfer in transfers]
        written = [block for transfer in transfers for block in _written_after(transfer)]
        for block in written:
            self._done_before_write[block] -= 1
            if not self._done_before_write[block]:
                del self._done_before_write[block]
        _free(self._device, written)
        ends = zip(transfers, locks, strict=True)
        _free(self._device, [t.src for t, lock in ends if t.kind == "copy" and lock is None])
        if self._host:
            _free(self._host, [block for t in transfers for block in t.host_blocks])
        for lock in filter(None, locks):
            lock.num_pending -= 1
            if not lock.num_pending:
                self._locks.unlock(lock.receipt)

    def refuse(self, block_ids: BlockIds) -> None:
        """Raise `TransferError` if one of these blocks is an end of a pending transfer (M11)."""
        wanted = set(block_ids.tolist())
        for transfer in self.pending:
            if busy := wanted.intersection(transfer.device_blocks):
                raise TransferError(
                    f"block {busy.pop()} is an end of a pending {NAMES[transfer.kind]}, "
                    f"{transfer.src} to {transfer.dst}: call complete() first"
                )


def _written_after(transfer: Transfer) -> tuple[int, ...]:
    """Return the end that may be written as soon as the transfer has run (H2)."""
    if transfer.kind == "load_back":
        return ()  # the tree owns it
    return (transfer.dst if transfer.kind == "copy" else transfer.src,)


def _free(allocator: BlockAllocator, block_ids: list[int]) -> None:
    """Remove a reference from each block; a block named k times loses k references."""
    if len(set(block_ids)) == len(block_ids):
        allocator.free(np.array(block_ids, np.int32))
    else:
        for block in block_ids:
            allocator.free(np.array([block], np.int32))
