"""The KV bytes in NumPy: what a model would write and read.

Lessons and tests use this store; the model has one in torch. The manager decides *where* KV is
stored. A store holds it, and runs the transfers that the manager orders.
"""

from collections.abc import Sequence as Many
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from radixlab.cache.checks import check_transfers
from radixlab.cache.errors import BlockError, TransferError
from radixlab.cache.found import NO_BLOCKS
from radixlab.cache.results import BlockIds, Transfer
from radixlab.config import (
    MAX_BLOCK_SIZE,
    MAX_BLOCKS,
    ConfigError,
    none_or_more,
    positive,
    shown,
)


class KVStore(Protocol):
    """Memory for `num_blocks * block_size` slots; it can copy blocks, also to the host and back."""

    def write(self, slots: BlockIds, values: Any) -> None:
        """Store one value per slot."""

    def read(self, slots: BlockIds) -> Any:
        """Return one value per slot."""

    def run(self, transfers: Many[Transfer]) -> None:
        """Copy whole blocks, in order."""


class NumpyKVStore:
    """One value per slot: `data` has shape `[num_blocks, block_size, *value_shape]`.

    `host` has the same shape with `num_host_blocks`. It has no slots: only transfers read and write
    it.

    >>> store = NumpyKVStore(num_blocks=2, block_size=2, value_shape=(3,))
    >>> store.write(np.array([1], np.int32), np.array([[1.0, 2.0, 3.0]], np.float32))
    >>> store.run([Transfer(src=0, dst=1, kind="copy")])
    >>> store.read(np.array([3], np.int32)).tolist()
    [[1.0, 2.0, 3.0]]
    """

    def __init__(
        self,
        num_blocks: int,
        block_size: int,
        value_shape: tuple[int, ...] = (),
        dtype: npt.DTypeLike = np.float32,
        num_host_blocks: int = 0,
    ) -> None:
        num_blocks = positive("num_blocks", num_blocks, MAX_BLOCKS)
        num_host_blocks = none_or_more("num_host_blocks", num_host_blocks, MAX_BLOCKS)
        value = _value(value_shape, dtype)
        block = (positive("block_size", block_size, MAX_BLOCK_SIZE), *value_shape)
        try:
            self.data: npt.NDArray[Any] = np.zeros((num_blocks, *block), value)
            self.host: npt.NDArray[Any] = np.zeros((num_host_blocks, *block), value)
        except (MemoryError, ValueError) as error:
            sizes = f"num_blocks = {num_blocks}, block_size = {block_size}"
            raise ConfigError(f"no memory for {sizes}, values {value_shape}: {error}") from None

    def write(self, slots: BlockIds, values: npt.NDArray[Any]) -> None:
        """Store `values` `[n, *value_shape]` at `slots` `[n]`."""
        slots, flat = self._check(slots), self._flat()
        try:
            array = np.asarray(values)
            if array.dtype.kind in "OSUmM":
                raise ValueError(f"{array.dtype}  is not a numeric dtype")
            flat[slots] = np.broadcast_to(array, (len(slots), *flat.shape[1:]))
        except (ValueError, TypeError, OverflowError) as error:
            raise BlockError(f"cannot write these values at {len(slots)} slots: {error}") from None

    def read(self, slots: BlockIds) -> npt.NDArray[Any]:
        """Return the values at `slots` `[n]`, `[n, *value_shape]`."""
        values: npt.NDArray[Any] = self._flat()[self._check(slots)]
        return values

    def run(self, transfers: Many[Transfer]) -> None:
        """Copy whole blocks, in order: a later transfer may read what an earlier one wrote.

        Raises `TransferError`, and copies nothing, if a block is outside the store.
        """
        transfers = check_transfers(transfers)
        for transfer in transfers:
            self._check_transfer(transfer)
        for transfer in transfers:
            source, destination = self._ends(transfer)
            destination[transfer.dst] = source[transfer.src]

    def _ends(self, transfer: Transfer) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        source = self.host if transfer.kind == "load_back" else self.data
        return source, self.host if transfer.kind == "write_back" else self.data

    def _check_transfer(self, transfer: Transfer) -> None:
        """Refuse blocks outside the store: NumPy would read -1 as the last block."""
        if transfer.kind not in ("copy", "write_back", "load_back"):
            raise TransferError(f"unknown kind of transfer:  {shown(transfer.kind)}")
        for blocks, block in zip(self._ends(transfer), (transfer.src, transfer.dst), strict=True):
            if not (isinstance(block, int) and 0 <= block < len(blocks)):
                raise TransferError(
                    f"{transfer.kind} of block {shown(transfer.src)} to {shown(transfer.dst)}: "
                    f"{shown(block)} is not one of {len(blocks)} blocks"
                )

    def _check(self, slots: BlockIds) -> BlockIds:
        """Refuse slots outside the store: NumPy would read a negative slot as another block's."""
        num_slots = self.data.shape[0] * self.data.shape[1]
        try:
            array = np.asarray(slots)
        except (ValueError, TypeError, OverflowError):
            raise BlockError(f"slots must be a flat list of ints, not {shown(slots)}") from None
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise BlockError(f"slots must be a flat list of ints, not {shown(slots)}")
        wrong = array[(array < 0) | (array >= num_slots)]
        if len(wrong):
            raise BlockError(f"slot {wrong[0]} is not in this store of {num_slots} slots")
        return array if array.size else NO_BLOCKS

    def _flat(self) -> npt.NDArray[Any]:
        return self.data.reshape(
            -1, *self.data.shape[2:]
        )  # [num_blocks * block_size, *value_shape], a view


def _value(value_shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype of a value; raise `ConfigError` for a bad shape or dtype."""
    if not isinstance(value_shape, tuple):
        raise ConfigError(f"value_shape must be a tuple of sizes, not {shown(value_shape)}")
    for size in value_shape:
        none_or_more("value_shape", size)
    try:
        value = np.dtype(dtype)
    except (TypeError, ValueError):
        raise ConfigError(f"dtype must be a NumPy dtype, not  {shown(dtype)}") from None
    if value.kind in "OSU":
        raise ConfigError(f"dtype must be numeric, not  {value}")
    return value
