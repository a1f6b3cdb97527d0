"""The same numbers in every layout that torch and NumPy have, and where attention takes them.

A *variant* is an argument, a layout and a backend. Each must give what dense fp64 attention gives
for the numbers that the tensor shows, or be refused by an `AttentionError`.
"""

import dataclasses
import warnings

import numpy as np
import torch

from radixlab.attention import (
    AttentionError,
    KVPool,
    decode,
    flat_plan,
    merge_states,
    prefill,
    reference,
    tree_plan,
    write_kv,
)
from tests.attention.batches import family, make

PROMPTS = [*family(3, 12, 5), [*range(7)]]


def swapped(x, a, b):
    return x.transpose(a, b).contiguous().transpose(a, b)


def stepped(x, *dims):
    """Every second entry of a larger tensor, whose other entries are NaN."""
    shape = [2 * n if dim in dims else n for dim, n in enumerate(x.shape)]
    out = x.new_full(shape, torch.nan)[
        tuple(slice(None, None, 2 if dim in dims else 1) for dim in range(x.ndim))
    ]
    return out.copy_(x)


def offset(x, n):
    out = x.new_empty(x.numel() + n)[n:].view(x.shape)
    return out.copy_(x)


def same(x, dim):
    """The first entry again and again: the stride is 0."""
    return x.narrow(dim, 0, 1).expand(x.shape)


def windows(x):
    """Rows that overlap in memory."""
    flat = x.contiguous().view(-1)
    strides = [max(1, s // 2) for s in x.contiguous().stride()[:-1]]
    return flat.as_strided(x.shape, [*strides, 1])


def odd_ones(x):
    """Dimensions of one entry may have any stride."""
    strides = [37 if n == 1 else s for n, s in zip(x.shape, x.contiguous().stride(), strict=True)]
    return x.contiguous().as_strided(x.shape, strides)


def inferred(x):
    with torch.inference_mode():
        return x.clone()


LAYOUTS = {
    "as it was": lambda x: x,
    "first two swapped": lambda x: swapped(x, 0, 1),
    "last two swapped": lambda x: swapped(x, -2, -1),
    "first and last swapped": lambda x: swapped(x, 0, -1),
    "reversed": lambda x: (
        x.permute(*reversed(range(x.ndim))).contiguous().permute(*reversed(range(x.ndim)))
    ),
    "every second row": lambda x: stepped(x, 0),
    "every second head": lambda x: stepped(x, x.ndim - 2),
    "every second number": lambda x: stepped(x, x.ndim - 1),
    "every second of all": lambda x: stepped(x, *range(x.ndim)),
    "part of wider rows": lambda x: torch.cat((x, x * torch.nan, x), -1)[..., : x.shape[-1]],
    "part of a fused projection": lambda x: torch.cat((x * torch.nan, x), 1)[:, x.shape[1] :],
    "one number in": lambda x: offset(x, 1),
    "three numbers in": lambda x: offset(x, 3),
    "rows all the same": lambda x: same(x, 0),
    "heads all the same": lambda x: same(x, -2),
    "numbers all the same": lambda x: same(x, -1),
    "overlapping rows": windows,
    "odd strides of ones": odd_ones,
    "needs a gradient": lambda x: x.clone().requires_grad_(),
    "computed with a gradient": lambda x: x.clone().requires_grad_() * 1,
    "a parameter": lambda x: torch.nn.Parameter(x.clone()),
    "an inference tensor": inferred,
    "a negative view": lambda x: torch._neg_view(-x),
    "a negative view, swapped": lambda x: torch._neg_view(swapped(-x, 0, 1)),
    "the imaginary part of a conjugate": lambda x: torch.complex(x * 0, -x).conj().imag,
    "sparse": lambda x: x.to_sparse(),
    "for another library": lambda x: x.to_mkldnn(),
    "a NumPy array": lambda x: x.numpy(),
    "a list": lambda x: x.tolist(),
    "complex": lambda x: torch.complex(x, x),
    "integers": lambda x: x.long(),
    "on no device": lambda x: x.to("meta"),
}
ODD = list(LAYOUTS)[list(LAYOUTS).index("sparse") :]
"""These may be refused wherever they come; the others only as pools."""
INTS = {
    "as they were": lambda x: x,
    "int64": lambda x: x.astype(np.int64),
    "int16": lambda x: x.astype(np.int16),
    "uint8": lambda x: x.astype(np.uint8),
    "uint64": lambda x: x.astype(np.uint64),
    "big-endian": lambda x: x.astype(">i4"),
    "a list": lambda x: x.tolist(),
    "a tuple": lambda x: tuple(x.tolist()),
    "columns first": lambda x: np.asfortranarray(x),
    "backwards": lambda x: np.ascontiguousarray(np.flip(x))[(slice(None, None, -1),) * x.ndim],
    "every second": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "read only": lambda x: np.frombuffer(x.tobytes(), np.int32).reshape(x.shape),
    "in a larger array": lambda x: np.pad(x, 1, constant_values=99)[(slice(1, -1),) * x.ndim],
    "misaligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), np.int32, offset=1).reshape(x.shape),
    "a tensor": lambda x: torch.tensor(x),
    "an int64 tensor": lambda x: torch.tensor(x).long(),
    "every second of a tensor": lambda x: torch.tensor(np.repeat(x, 2, -1))[..., ::2],
    "a tensor on no device": lambda x: torch.tensor(x).to("meta"),
    "floats": lambda x: x.astype(float),
    "a tensor of floats": lambda x: torch.tensor(x).float(),
    "bools": lambda x: x > 0,
    "strings": lambda x: x.astype(str),
    "objects": lambda x: x.astype(object),
    "ragged": lambda x: [[1], [2, 3]],
    "one more dimension": lambda x: x[None],
    "none": lambda x: None,
}
ODD_INTS = list(INTS)[list(INTS).index("a tensor on no device") :]
PLAN = ("order", "block_ids", "first_block", "num_tokens", "first_query", "num_queries")


class Case:
    """A batch, the truth about it, and the arguments one by one."""

    def __init__(self, head_dim=16, kv_heads=2, group=2):
        self.batch = make(PROMPTS, head_dim=head_dim, kv_heads=kv_heads, group=group)
        self.flat = flat_plan(self.batch.block_tables, self.batch.context_lens, 4)
        self.cu_q = np.array([0, 2, 3, 3, 6], np.int32)
        generator = torch.Generator().manual_seed(1)
        self.q_new = torch.randn(6, *self.batch.q.shape[1:], generator=generator)
        self.k_new, self.v_new = torch.randn(2, 3, kv_heads, head_dim, generator=generator)
        self.slots = np.array([5, 0, 17], np.int32)

    def variants(self, backend):
        """Yield `(argument, layout, call)`; `call` returns pairs of `(found, truth)`."""
        b = self.batch
        for name, lay in LAYOUTS.items():
            yield "q of decode", name, lambda lay=lay: self.decode(backend, q=lay(b.q))
            yield "q of prefill", name, lambda lay=lay: self.prefill(backend, q=lay(self.q_new))
            for one in ("k", "v"):
                yield f"{one}_pool", name, lambda lay=lay, one=one: self.pooled(backend, one, lay)
                yield (
                    f"{one}_new",
                    name,
                    lambda lay=lay, one=one: self.write(
                        backend, **{f"{one}_new": lay(getattr(self, f"{one}_new"))}
                    ),
                )
                yield (
                    f"{one}_pool written",
                    name,
                    lambda lay=lay, one=one: self.written(backend, one, lay),
                )
        for name, lay in INTS.items():
            for one in ("cu_q", "block_tables", "context_lens"):
                value = self.cu_q if one == "cu_q" else getattr(b, one)
                yield (
                    f"{one} of prefill",
                    name,
                    lambda lay=lay, one=one, value=value: self.prefill(
                        backend, **{one: lay(value)}
                    ),
                )
                if one != "cu_q":
                    yield (
                        f"{one} of flat_plan",
                        name,
                        lambda lay=lay, one=one, value=value: self.planned(
                            backend, **{one: lay(value)}
                        ),
                    )
            yield "slots", name, lambda lay=lay: self.write(backend, slots=lay(self.slots))
            for one in PLAN:
                yield (
                    f"plan.{one}",
                    name,
                    lambda lay=lay, one=one: self.decode(
                        backend,
                        plan=dataclasses.replace(self.flat, **{one: lay(getattr(self.flat, one))}),
                    ),
                )

    def decode(self, backend, q=None, plan=None, pool=None):
        b = self.batch
        q, pool = b.q if q is None else q, pool or b.pool
        pairs = []
        for each in (plan,) if plan else (self.flat, tree_plan(b.sequences, 4, 2)):
            got = decode(q, pool, each, backend)
            want = reference.decode(plain(q), double(pool), self.flat)
            pairs += zip(got, want, strict=True)
        return pairs

    def planned(self, backend, **changes):
        arrays = {n: getattr(self.batch, n) for n in ("block_tables", "context_lens")} | changes
        return self.decode(backend, plan=flat_plan(**arrays, block_size=4))

    def prefill(self, backend, q=None, pool=None, **changes):
        b, q = self.batch, self.q_new if q is None else q
        arrays = {
            "cu_q": self.cu_q,
            "block_tables": b.block_tables,
            "context_lens": b.context_lens,
        }
        got = prefill(q, pool or b.pool, **(arrays | changes), backend=backend)
        return list(zip(got, self.dense_prefill(plain(q), double(pool or b.pool)), strict=True))

    def dense_prefill(self, q, pool):
        b, out, lse = self.batch, [], []
        for i, length in enumerate(b.context_lens.tolist()):
            new = q[self.cu_q[i] : self.cu_q[i + 1]]
            blocks = torch.from_numpy(b.block_tables[i][: -(-length // 4)]).long()
            k, v = (x[blocks].flatten(0, 1)[:length] for x in (pool.k, pool.v))
            done = reference.attend(new, k, v, length - len(new))
            out.append(done[0])
            lse.append(done[1])
        return torch.cat(out), torch.cat(lse)

    def pooled(self, backend, one, lay):
        pool = KVPool(
            **{
                n: lay(x) if n == one else x
                for n, x in (("k", self.full()[0]), ("v", self.full()[1]))
            }
        )
        return self.decode(backend, pool=pool) + self.prefill(backend, pool=pool)

    def full(self):
        """Pools without NaN, so that any of their numbers may be repeated."""
        return [x.nan_to_num() for x in (self.batch.pool.k, self.batch.pool.v)]

    def write(self, backend, pool=None, slots=None, **changes):
        pool = pool or KVPool(*self.full())
        new = {"k_new": self.k_new, "v_new": self.v_new} | changes
        ordinary = all(isinstance(x, torch.Tensor) and not x.is_meta for x in (pool.k, pool.v))
        before = double(pool) if ordinary else None
        write_kv(pool, **new, slots=self.slots if slots is None else slots, backend=backend)
        assert before is not None, "that is no pool, and was written"
        for x, y in ((before.k, new["k_new"]), (before.v, new["v_new"])):
            for slot, row in zip(self.slots.tolist(), plain(y), strict=True):
                x[slot // 4, slot % 4] = row
        return [(plain(pool.k), before.k), (plain(pool.v), before.v)]

    def written(self, backend, one, lay):
        k, v = self.full()
        return self.write(
            backend, pool=KVPool(lay(k) if one == "k" else k, lay(v) if one == "v" else v)
        )


def plain(x):
    """Return the numbers that a tensor shows, dense and fp64."""
    x = x.detach().resolve_neg().cpu()
    out = torch.empty(x.shape, dtype=torch.float64)
    return out.copy_(x.to_dense().real if x.layout is not torch.strided or x.is_complex() else x)


def double(pool):
    return KVPool(plain(pool.k), plain(pool.v))


def merges():
    """Yield `(argument, layout, call)` of `merge_states`."""
    generator = torch.Generator().manual_seed(0)
    dense = {
        name: torch.randn(shape, generator=generator)
        for name, shape in (
            ("out_a", (5, 4, 8)),
            ("lse_a", (5, 4)),
            ("out_b", (5, 4, 8)),
            ("lse_b", (5, 4)),
        )
    }

    def call(one, lay):
        given = dense | {one: lay(dense[one])}
        got = merge_states(**given)
        want = merge_states(**{name: plain(x) for name, x in given.items()})
        return list(zip(got, want, strict=True))

    for one in dense:
        for name, lay in LAYOUTS.items():
            yield one, name, lambda one=one, lay=lay: call(one, lay)


def judge(call, tolerance=1e-5):
    """Return "right", "refused", or what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="(ComplexHalf|Sparse)")
        try:
            pairs = call()
        except AttentionError as error:
            return "refused" if "\n" not in str(error) else f"refused in several lines: {error}"
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    for got, want in pairs:
        if got.shape != want.shape:
            return f"shape {list(got.shape)}, not {list(want.shape)}"
        if not got.is_contiguous() or got.is_neg():
            return "the result is not dense"
        if not torch.allclose(got.double(), want.double(), atol=tolerance, rtol=tolerance):
            return f"off by {float((got.double() - want).abs().max())}"
    return "right"


def faults(variants):
    """Judge all; return what is wrong, and what is refused that should not be."""
    found, num = {}, 0
    for argument, layout, call in variants:
        verdict, num = judge(call), num + 1
        may_refuse = layout in ODD + ODD_INTS or "_pool" in argument or layout == "uint64"
        if verdict != "right" and not (verdict == "refused" and may_refuse):
            found[argument, layout] = verdict
    assert num > 100, "hardly anything was tried"
    return found
