"""The order of weights in memory: the same numbers, stored so that a decode step is fast.

A decode step multiplies a few rows by every matrix of the model, so its cost is the cost of reading
the matrices. On a CPU, torch's fp32 product reads a matrix `[out, in]` faster if it is stored
column by column. For many rows, as in a prefill, the order makes no difference, and neither does it
in bf16.
"""

import torch

from radixlab.model.llama import Llama


def store_by_columns(model: Llama) -> None:
    """Store a model's fp32 matrices on a CPU column by column; values and shapes stay the same.

    The embedding is read row by row, so it keeps its order, even if it is the last layer too. To
    save such a model with safetensors, make its tensors contiguous first.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            weight = module.weight
            if weight.dtype == torch.float32 and weight.device.type == "cpu":
                weight.data = weight.data.t().contiguous().t()
