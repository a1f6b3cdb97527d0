"""The KV of all layers, in torch: the store that runs the transfers that the cache orders."""

from collections.abc import Sequence as Many

import torch
from torch import Tensor

from radixlab.attention.pool import KVPool, place_slots
from radixlab.cache.results import BlockIds, Transfer
from radixlab.config import none_or_more, positive


class TorchKVStore:
    """A pool for every layer; all pools of a tier are views of one allocation.

    `data` is `[2, num_layers, num_blocks, block_size, kv_heads, head_dim]`, keys before values.
    `host` has the same layout in the host's memory, which is pinned if the pools are on a GPU.

    >>> store = TorchKVStore(num_layers=1, num_blocks=2, block_size=2, kv_heads=1, head_dim=3)
    >>> _ = store.layers[0].k[0].fill_(7)
    >>> store.run([Transfer(src=0, dst=1, kind="copy")])
    >>> store.layers[0].k[1, 0, 0].tolist()
    [7.0, 7.0, 7.0]
    """

    def __init__(
        self,
        num_layers: int,
        num_blocks: int,
        block_size: int,
        kv_heads: int,
        head_dim: int,
        *,
        num_host_blocks: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        sizes = {"num_layers": num_layers, "block_size": block_size, "kv_heads": kv_heads}
        for name, value in (sizes | {"head_dim": head_dim, "num_blocks": num_blocks}).items():
            positive(name, value)
        none_or_more("num_host_blocks", num_host_blocks)
        slab = (block_size, kv_heads, head_dim)
        on_gpu = torch.device(device).type == "cuda"
        self.data = torch.zeros((2, num_layers, num_blocks, *slab), dtype=dtype, device=device)
        self.host = torch.zeros(
            (2, num_layers, num_host_blocks, *slab), dtype=dtype, pin_memory=on_gpu
        )
        self.layers = [KVPool(k, v) for k, v in zip(self.data[0], self.data[1], strict=True)]

    def write(self, slots: BlockIds, values: Tensor) -> None:
        """Store `values` `[2, num_layers, n, kv_heads, head_dim]` at `slots` `[n]`."""
        self.data.flatten(2, 3)[:, :, self._index(slots)] = values

    def read(self, slots: BlockIds) -> Tensor:
        """Return the values at `slots` `[n]`: `[2, num_layers, n, kv_heads, head_dim]`."""
        return self.data.flatten(2, 3)[:, :, self._index(slots)]

    def run(self, transfers: Many[Transfer]) -> None:
        """Copy whole blocks of all layers, in order: one transfer may read what another wrote."""
        for transfer in transfers:
            source = self.host if transfer.kind == "load_back" else self.data
            target = self.host if transfer.kind == "write_back" else self.data
            target[:, :, transfer.dst].copy_(source[:, :, transfer.src], non_blocking=True)

    def _index(self, slots: BlockIds) -> Tensor:
        return place_slots(self.layers[0], slots).index
