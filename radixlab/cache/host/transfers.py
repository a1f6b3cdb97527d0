"""The copies of bytes that are under way: on the device, to the host, and back.

The cache only *orders* a transfer; the owner of the KV runs it. Until `complete` says its bytes
have arrived, both ends are held: the source so that it is not reused before it was read, the
destination so that it is not given away while bytes are arriving. An end is held by an extra
reference to its block or, where the tree owns the block, by a lock on its node.

A caller sees one `Transfer` a block, and may complete them in any order. Inside they stay the runs
in which they were ordered, because an eviction moves dozens of blocks: so the usual case, all of
them complete, costs a few steps a run.

This file knows who is held; not why a transfer was ordered, and no bytes.
"""

from collections.abc import Iterable
from itertools import islice
from operator import is_

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import TransferError
from radixlab.cache.locks import Locks
from radixlab.cache.node import Node, Receipt
from radixlab.cache.results import BlockIds, Transfer, TransferKind, transfers_of
from radixlab.events import Log, TransfersCompleted

NAMES = {"copy": "copy", "write_back": "write-back", "load_back": "load-back"}


class Run:
    """Transfers that were ordered together, without those that are complete."""

    __slots__ = ("dst", "kind", "receipt", "src")

    def __init__(
        self, kind: TransferKind, src: list[int], dst: list[int], receipt: Receipt | None
    ) -> None:
        self.kind = kind
        self.src = src
        self.dst = dst
        self.receipt = receipt
        """The lock on the blocks that the tree owns, until the last transfer is complete."""

    @property
    def written_after(self) -> list[int]:
        """The ends that may be written as soon as the transfers have run (H2)."""
        if self.kind == "load_back":
            return []  # the tree owns them
        return self.dst if self.kind == "copy" else self.src

    @property
    def device_blocks(self) -> list[int]:
        """The ends on the device."""
        if self.kind == "copy":
            return self.src + self.dst
        return self.src if self.kind == "write_back" else self.dst

    def take(self, transfers: list[Transfer]) -> "Run":
        """Return these of its transfers as a run of their own; keep the others."""
        taken = Run(self.kind, [t.src for t in transfers], [t.dst for t in transfers], self.receipt)
        gone = set(taken.src)
        rest = [ends for ends in zip(self.src, self.dst, strict=True) if ends[0] not in gone]
        self.src = [src for src, _ in rest]
        self.dst = [dst for _, dst in rest]
        return taken


class PendingTransfers:
    """The transfers ordered and not yet completed, in execution order."""

    def __init__(
        self, locks: Locks, device: BlockAllocator, host: BlockAllocator | None, log: Log
    ) -> None:
        self._locks = locks
        self._device = device
        self._host = host
        self._log = log
        self.pending: dict[Transfer, Run] = {}
        """Each transfer, with the run in which it was ordered."""

    def since(self, num: int) -> list[Transfer]:
        """List the transfers after the first `num`."""
        return list(islice(self.pending, num, None))

    def runs(self) -> Iterable[Run]:
        """List the runs of the pending transfers, each once."""
        return dict.fromkeys(self.pending.values())

    def locked_nodes(self) -> list[Node]:
        """List the nodes locked for transfers, one entry per receipt."""
        return [receipt.node for receipt in self.receipts()]

    def receipts(self) -> list[Receipt]:
        """List the receipts held for transfers."""
        return [run.receipt for run in self.runs() if run.receipt]

    def forget(self) -> None:
        """Drop all pending transfers after a fault, without reading blocks or nodes."""
        self.pending = {}

    def num_tables(self, block_id: int) -> int:
        """Count the references to a private block that forbid writing to it (C3).

        These are the tables that have it, and the copies that still read it. A copy or write-back
        that the owner runs before writing does not count.
        """
        holders = self._device.more_holders.get(block_id, 0)
        if not holders:
            return 1
        done_before = sum(run.written_after.count(block_id) for run in self.runs())
        return 1 + holders - done_before

    def order(
        self, kind: TransferKind, src: BlockIds, dst: BlockIds, receipt: Receipt | None = None
    ) -> None:
        """Take a run in, after all others: blocks `src` to blocks `dst`, int32 `[n]` each.

        `receipt` protects the ends that the tree owns. An end that is neither the tree's nor new
        must have an extra reference already, which passes to the transfer: the source of a private
        copy or of a load-back.

        Rules: C7, H2.
        """
        run = Run(kind, src.tolist(), dst.tolist(), receipt)
        self.pending |= dict.fromkeys(transfers_of(kind, run.src, run.dst), run)
        self._device.hold(run.written_after)
        if self._host and kind == "write_back":
            self._host.hold(run.dst)

    def complete(self, transfers: list[Transfer]) -> None:
        """Release both ends; raise `TransferError`, changing nothing, if one is not pending.

        Rules: C7.
        """
        if not transfers:
            return
        if len(transfers) == len(self.pending) and all(map(is_, transfers, self.pending)):
            runs = self.runs()
            self.pending = {}
            for run in runs:
                self._arrived(run)
                self._unlock(run)
        else:
            self._complete_some(transfers)
        if emit := self._log.emit:
            done = tuple((transfer.src, transfer.dst, transfer.kind) for transfer in transfers)
            emit(TransfersCompleted(*self._log.stamp(), site="transfers.complete", transfers=done))

    def _complete_some(self, transfers: list[Transfer]) -> None:
        self._check(transfers)
        by_run: dict[Run, list[Transfer]] = {}
        for transfer in transfers:
            by_run.setdefault(self.pending.pop(transfer), []).append(transfer)
        for run, done in by_run.items():
            self._arrived(run.take(done))
            if not run.src:
                self._unlock(run)

    def _check(self, transfers: list[Transfer]) -> None:
        """Raise `TransferError` if one is not pending here, or is there twice."""
        mine, seen = set(map(id, self.pending)), set[int]()
        for transfer in transfers:
            # By identity: an equal one may belong to another manager.
            if id(transfer) not in mine or id(transfer) in seen:
                raise TransferError(
                    f"{NAMES.get(transfer.kind, transfer.kind)} of block {transfer.src} "
                    f"to {transfer.dst} is not pending here: completed before?"
                )
            seen.add(id(transfer))

    def _arrived(self, run: Run) -> None:
        """Take the extra references to the ends of a run away."""
        self._device.let_go(run.written_after)
        if run.kind == "copy" and run.receipt is None:
            self._device.let_go(run.src)
        elif self._host and run.kind != "copy":
            self._host.let_go(run.dst if run.kind == "write_back" else run.src)

    def _unlock(self, run: Run) -> None:
        if run.receipt:
            self._locks.unlock(run.receipt)

    def refuse(self, block_ids: BlockIds) -> None:
        """Raise `TransferError` if one of these blocks is an end of a pending transfer (M11)."""
        wanted = set(block_ids.tolist())
        if all(wanted.isdisjoint(run.device_blocks) for run in self.runs()):
            return
        for transfer in self.pending:
            if busy := wanted.intersection(transfer.device_blocks):
                raise TransferError(
                    f"block {busy.pop()} is an end of a pending {NAMES[transfer.kind]}, "
                    f"{transfer.src} to {transfer.dst}: call complete() first"
                )
