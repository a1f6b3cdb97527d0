"""How weights lie in memory: the same numbers, in the order that makes a decode step fast.

A decode step multiplies a few rows with every matrix of the model, so it costs what reading the
matrices costs. torch's fp32 product on a CPU reads a matrix `[out, in]` faster if it is stored
column by column; for many rows, as in a prefill, there is no difference. In bf16 rows are as good.
"""

import torch

from radixlab.model.llama import Llama


def store_by_columns(model: Llama) -> None:
    """Store the fp32 matrices of a model on a CPU column by column; values and shapes stay.

    The embedding is read row by row, and keeps its order, even if it is the last layer as well. To
    save such a model with safetensors, make its tensors contiguous first.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            weight = module.weight
            if weight.dtype == torch.float32 and weight.device.type == "cpu":
                weight.data = weight.data.t().contiguous().t()
