"""The KV bytes, in NumPy: what the model would write and read.

For lessons and tests; the model has one in torch.

The manager decides *where* KV lives; a store holds it and runs the transfers the manager orders.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from radixlab.cache.errors import BlockError
from radixlab.cache.protocols import BlockIds, Transfer
from radixlab.config import positive


class KVStore(Protocol):
    """Memory for `num_blocks * block_size` slots, and the copies of its blocks, host and back."""

    def write(self, slots: BlockIds, values: Any) -> None:
        """Store one value per slot."""

    def read(self, slots: BlockIds) -> Any:
        """Return one value per slot."""

    def run(self, transfers: list[Transfer]) -> None:
        """Copy whole blocks, in order."""


class NumpyKVStore:
    """One value per slot: `data` has shape `[num_blocks, block_size, *value_shape]`.

    So has `host`, with `num_host_blocks`: no slot is there, only transfers go to it and back.

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
        block = (positive("block_size", block_size), *value_shape)
        self.data: npt.NDArray[Any] = np.zeros((positive("num_blocks", num_blocks), *block), dtype)
        self.host: npt.NDArray[Any] = np.zeros((num_host_blocks, *block), dtype)

    def write(self, slots: BlockIds, values: npt.NDArray[Any]) -> None:
        """Store `values` `[n, *value_shape]` at `slots` `[n]`."""
        self._flat()[self._check(slots)] = values

    def read(self, slots: BlockIds) -> npt.NDArray[Any]:
        """Return the values at `slots` `[n]`, `[n, *value_shape]`."""
        values: npt.NDArray[Any] = self._flat()[self._check(slots)]
        return values

    def run(self, transfers: list[Transfer]) -> None:
        """Copy whole blocks, in order: a later transfer may read what an earlier one wrote."""
        for transfer in transfers:
            source = self.host if transfer.kind == "load_back" else self.data
            destination = self.host if transfer.kind == "write_back" else self.data
            destination[transfer.dst] = source[transfer.src]

    def _check(self, slots: BlockIds) -> BlockIds:
        """Refuse slots outside the store: NumPy would take a negative one for another block's."""
        num_slots = self.data.shape[0] * self.data.shape[1]
        wrong = [slot for slot in np.asarray(slots).tolist() if not 0 <= slot < num_slots]
        if wrong:
            raise BlockError(f"slot {wrong[0]} is not in this store of {num_slots} slots")
        return slots

    def _flat(self) -> npt.NDArray[Any]:
        return self.data.reshape(
            -1, *self.data.shape[2:]
        )  # [num_blocks * block_size, *value_shape], a view
