"""Two ways to attend: densely among the rows of a batch, or paged, over the blocks of the cache.

`Dense` knows no cache: every request comes whole, every time. It is the truth that the paged way is
compared with, and what training uses. `Paged` stores the new rows' KV in the blocks that the
cache's sequences name, and reads what is there, whoever wrote it.
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
    """Where requests begin among the rows, and the number of rows: request i has the rows
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
    """Attention of one step over the blocks of a KV store: new KV is written, then all is read."""

    store: TorchKVStore
    step: Step
    backend: str | None = None
    """A name of `radixlab.attention.BACKENDS`; None for the fastest that can read the store."""
    _slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        self._slots = place_slots(self.store.layers[0], self.step.slots)

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """`q` `[T, heads, head_dim]`, `k`, `v` `[T, kv_heads, head_dim]` → as `q`."""
        pool, step, num = self.store.layers[layer], self.step, self.step.num_decode
        write_kv(pool, k, v, self._slots, self.backend)
        out = q.new_empty(q.shape)
        if step.decode is not None:
            out[:num], _ = decode(q[:num], pool, step.decode, self.backend)
        if step.prefill is not None:
            out[num:], _ = prefill_planned(q[num:], pool, step.prefill, self.backend)
        return out
