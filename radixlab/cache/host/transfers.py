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

from collections.abc import Sequence as Many
from itertools import islice, repeat

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import TransferError
from radixlab.cache.host.held import add_references, drop_references
from radixlab.cache.locks import Locks
from radixlab.cache.node import Node, Receipt
from radixlab.cache.results import BlockIds
from radixlab.cache.transfer import Run, Transfer, TransferKind, Transfers
from radixlab.events import TransfersCompleted
from radixlab.log import Log

NAMES = {"copy": "copy", "write_back": "write-back", "load_back": "load-back"}


class PendingTransfers:
    """The transfers ordered and not yet completed, in execution order."""

    def __init__(
        self, locks: Locks, device: BlockAllocator, host: BlockAllocator | None, log: Log
    ) -> None:
        self._locks = locks
        self._device = device
        self._host = host
        self._log = log
        self.pending: dict[Run, None] = {}
        """The runs of the pending transfers, in execution order."""
        self.num_complete = 0
        """Goes up whenever transfers are complete."""

    def since(self, num_runs: int) -> Transfers:
        """List the transfers after the first `num_runs` runs."""
        return Transfers(list(islice(self.pending, num_runs, None)))

    def locked_nodes(self) -> list[Node]:
        """List the nodes locked for transfers, one entry per receipt."""
        return [receipt.node for receipt in self.receipts()]

    def receipts(self) -> list[Receipt]:
        """List the receipts held for transfers."""
        return [run.receipt for run in self.pending if run.receipt]

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
        done_before = sum(run.written_after.count(block_id) for run in self.pending)
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
        self.pending[run] = None
        add_references(self._device, run.written_after)
        if self._host and kind == "write_back":
            add_references(self._host, run.dst)

    def complete(self, transfers: Many[Transfer]) -> None:
        """Release both ends; raise `TransferError`, changing nothing, if one is not pending.

        Rules: C7.
        """
        if isinstance(transfers, Transfers) and all(run in self.pending for run in transfers.runs):
            done = transfers.runs
        else:
            done = self._cut(transfers)
        self.num_complete += len(done)
        for run in done:
            del self.pending[run]
            self._arrived(run)
        if (emit := self._log.emit) and done:
            ends = tuple(each for run in done for each in zip(run.src, run.dst, repeat(run.kind)))
            emit(TransfersCompleted(*self._log.stamp(), site="transfers.complete", transfers=ends))

    def _cut(self, transfers: Many[Transfer]) -> list[Run]:
        """Cut the pending runs where these transfers begin and end; return the runs of them.

        Raises `TransferError` if one is not pending here, or is there twice.
        """
        # By identity: an equal one may belong to another manager.
        run_of = {id(mine): run for run in self.pending for mine in run.transfers}
        done: dict[Run, list[Transfer]] = {}
        for transfer in transfers:
            run = run_of.pop(id(transfer), None)
            if run is None:
                raise TransferError(
                    f"{NAMES.get(transfer.kind, transfer.kind)} of block {transfer.src} "
                    f"to {transfer.dst} is not pending here: completed before?"
                )
            done.setdefault(run, []).append(transfer)
        parts, pending = list[Run](), dict[Run, None]()
        for run in self.pending:
            mine = done.get(run, [])
            rest = [each for each in run.transfers if id(each) in run_of]
            pieces = [run.part(each) for each in (mine, rest) if each] if mine and rest else [run]
            pending |= dict.fromkeys(pieces)
            parts += pieces[:1] if mine else []
        self.pending = pending
        return parts

    def _arrived(self, run: Run) -> None:
        """Take the extra references to the ends of a run away, and its lock with the last part."""
        drop_references(self._device, run.written_after)
        if run.kind == "copy" and run.receipt is None:
            drop_references(self._device, run.src)
        elif self._host and run.kind != "copy":
            drop_references(self._host, run.dst if run.kind == "write_back" else run.src)
        if run.receipt and all(other.receipt is not run.receipt for other in self.pending):
            self._locks.unlock(run.receipt)

    def refuse(self, block_ids: BlockIds) -> None:
        """Raise `TransferError` if one of these blocks is an end of a pending transfer (M11)."""
        wanted = set(block_ids.tolist())
        if all(wanted.isdisjoint(run.device_blocks) for run in self.pending):
            return
        for transfer in self.since(0):
            if busy := wanted.intersection(transfer.device_blocks):
                raise TransferError(
                    f"block {busy.pop()} is an end of a pending {NAMES[transfer.kind]}, "
                    f"{transfer.src} to {transfer.dst}: call complete() first"
                )
