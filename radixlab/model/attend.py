"""Two ways to attend: densely among the rows of a batch, or paged over the blocks of the cache.

`Dense` uses no cache: it computes every request as a whole. It is the reference for `Paged`, and
training uses it. `Paged` stores the KV of new rows in the blocks of the cache's sequences, and then
reads all KV in these blocks, no matter which request wrote it.
"""

from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from radixlab.attention import TorchKVStore, decode, place_slots, prefill_planned, write_kv
from radixlab.attention.pool import Slots
from radixlab.model.step import Step


@dataclass(frozen=True, slots=True)
class Dense:
    """Causal attention within each request of a flat batch."""

    bounds: list[int]
    """The first row of each request, then the number of rows: request i has the rows
    `[bounds[i], bounds[i + 1])`."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """`q` `[T, heads, head_dim]`, `k`, `v` `[T, kv_heads, head_dim]` → as `q`."""
        out = q.new_empty(q.shape)
        for start, stop in zip(self.bounds, self.bounds[1:], strict=False):
            heads_first = [x[start:stop].transpose(0, 1)[None] for x in (q, k, v)]
            attended: Tensor = functional.scaled_dot_product_attention(
                heads_first[0], heads_first[1], heads_first[2], is_causal=True, enable_gqa=True
            )
            out[start:stop] = attended[0].transpose(0, 1)
        return out


@dataclass(slots=True)
class Paged:
    """Attention of one step over the blocks of a KV store: write the new KV, then read all KV."""

    store: TorchKVStore
    step: Step
    backend: str | None = None
    """A name in `radixlab.attention.BACKENDS`; None for the fastest that can read the store."""
    _slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        self._slots = place_slots(self.store.layers[0], self.step.slots)

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """`q` `[T, heads, head_dim]`, `k`, `v` `[T, kv_heads, head_dim]` → as `q`."""
        pool = self.store.layers[layer]
        step = self.step
        num = step.num_decode
        write_kv(pool, k, v, self._slots, self.backend)
        out = q.new_empty(q.shape)
        if step.decode is not None:
            out[:num], _ = decode(q[:num], pool, step.decode, self.backend)
        if step.prefill is not None:
            out[num:], _ = prefill_planned(q[num:], pool, step.prefill, self.backend)
        return out
