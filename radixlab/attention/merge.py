"""The monoid of partial attention: two results over disjoint keys make one over their union.

Attention over a set of keys is a weighted mean of values. Keep the mean and the logarithm of the
sum of its weights (`lse`), and two of them can be merged, in any grouping. The neutral element is
(0, -inf): attention over no keys. (Online softmax; Milakov and Gimelshein, arXiv 1805.02867.)
"""

import torch
from torch import Tensor


def merge_states(
    out_a: Tensor, lse_a: Tensor, out_b: Tensor, lse_b: Tensor
) -> tuple[Tensor, Tensor]:
    """Merge two partial results: `out` `[..., D]`, `lse` `[...]`, natural logarithm.

    >>> out, lse = torch.ones(1, 2), torch.zeros(1)
    >>> nothing, none = torch.zeros(1, 2), torch.full((1,), -torch.inf)
    >>> [x.tolist() for x in merge_states(out, lse, nothing, none)]
    [[[1.0, 1.0]], [0.0]]
    """
    highest = torch.maximum(lse_a, lse_b)
    highest = torch.where(highest == -torch.inf, 0.0, highest)  # -inf - -inf would be NaN
    a, b = torch.exp(lse_a - highest), torch.exp(lse_b - highest)
    total = a + b
    share = torch.where(total == 0, 1.0, total)
    out = (a / share).unsqueeze(-1) * out_a + (b / share).unsqueeze(-1) * out_b
    return out.to(out_a.dtype), highest + torch.log(total)


def merge_slots(
    out: Tensor, lse: Tensor, query_of_slot: Tensor, num_queries: int
) -> tuple[Tensor, Tensor]:
    """Merge each query's slots.

    `out` `[num_slots, H, D]` and `lse` `[num_slots, H]`, fp32; `query_of_slot` `[num_slots]`.
    Returns `[num_queries, H, D]` and `[num_queries, H]`.
    """
    num_heads, head_dim = out.shape[1:]
    index = query_of_slot[:, None].expand(-1, num_heads)  # [num_slots, H]
    highest = lse.new_full((num_queries, num_heads), -torch.inf)
    highest.scatter_reduce_(0, index, lse, "amax")
    highest = torch.where(highest == -torch.inf, 0.0, highest)
    weight = torch.exp(lse - highest[query_of_slot])
    total = weight.new_zeros(num_queries, num_heads).index_add_(0, query_of_slot, weight)
    merged = out.new_zeros(num_queries, num_heads, head_dim)
    merged.index_add_(0, query_of_slot, weight[..., None] * out)
    merged /= torch.where(total == 0, 1.0, total)[..., None]
    return merged, highest + torch.log(total)
