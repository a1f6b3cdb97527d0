"""The monoid of partial attention: two results over disjoint keys merge into one over their union.

Attention over a set of keys is a weighted mean of values. If each result keeps its mean and the
logarithm of the sum of its weights (`lse`), results can be merged, in any grouping. The neutral
element is (0, -inf), attention over no keys. This is the idea of online softmax (Milakov and
Gimelshein, arXiv 1805.02867).
"""

import torch
from torch import Tensor

from radixlab.attention.checks import check_tensor, dense
from radixlab.attention.errors import AttentionError


def merge_states(
    out_a: Tensor, lse_a: Tensor, out_b: Tensor, lse_b: Tensor
) -> tuple[Tensor, Tensor]:
    """Merge two partial results: `out` `[..., D]` and `lse` `[...]`, in fp32 or fp64.

    `lse` is a natural logarithm. Raises `AttentionError` for parts that do not fit together.

    >>> out, lse = torch.ones(1, 2), torch.zeros(1)
    >>> nothing, none = torch.zeros(1, 2), torch.full((1,), -torch.inf)
    >>> [x.tolist() for x in merge_states(out, lse, nothing, none)]
    [[[1.0, 1.0]], [0.0]]
    """
    _check(out_a, lse_a, out_b, lse_b)
    out_a, lse_a, out_b, lse_b = (dense(x) for x in (out_a, lse_a, out_b, lse_b))
    highest = torch.maximum(lse_a, lse_b)
    highest = torch.where(highest == -torch.inf, 0.0, highest)  # -inf - -inf would be NaN
    a, b = torch.exp(lse_a - highest), torch.exp(lse_b - highest)
    total = a + b
    share = torch.where(total == 0, 1.0, total)
    out = (a / share).unsqueeze(-1) * out_a + (b / share).unsqueeze(-1) * out_b
    return out.to(out_a.dtype), highest + torch.log(total)


def merge_parts(
    out: Tensor, lse: Tensor, query_of_part: Tensor, num_queries: int
) -> tuple[Tensor, Tensor]:
    """Merge the parts of each query.

    `out` is `[num_parts, H, D]` and `lse` `[num_parts, H]`, both in fp32; `query_of_part` is
    `[num_parts]`. Returns `[num_queries, H, D]` and `[num_queries, H]`.
    """
    num_heads, head_dim = out.shape[1:]
    index = query_of_part[:, None].expand(-1, num_heads)  # [num_parts, H]
    highest = lse.new_full((num_queries, num_heads), -torch.inf)
    highest.scatter_reduce_(0, index, lse, "amax")
    highest = torch.where(highest == -torch.inf, 0.0, highest)
    weight = torch.exp(lse - highest[query_of_part])
    total = weight.new_zeros(num_queries, num_heads).index_add_(0, query_of_part, weight)
    merged = out.new_zeros(num_queries, num_heads, head_dim)
    merged.index_add_(0, query_of_part, weight[..., None] * out)
    merged /= torch.where(total == 0, 1.0, total)[..., None]
    return merged, highest + torch.log(total)


def _check(out_a: Tensor, lse_a: Tensor, out_b: Tensor, lse_b: Tensor) -> None:
    """Raise `AttentionError` unless both parts have the same shapes, dtypes and device."""
    for name, x in {"out_a": out_a, "lse_a": lse_a, "out_b": out_b, "lse_b": lse_b}.items():
        check_tensor(name, x)
        first = out_a if name.startswith("out") else lse_a
        shape = out_a.shape if name.startswith("out") else out_a.shape[:-1]
        if (x.shape, x.dtype, x.device) != (shape, first.dtype, out_a.device):
            raise AttentionError(
                f"{name} is {list(x.shape)} {x.dtype} on {x.device}; beside out_a, "
                f"{list(out_a.shape)}, it must be {list(shape)} {first.dtype} on {out_a.device}"
            )
    if not out_a.is_floating_point() or lse_a.dtype not in (torch.float32, torch.float64):
        raise AttentionError(
            f"out is {out_a.dtype} and lse {lse_a.dtype}: lse must be fp32 or fp64"
        )
