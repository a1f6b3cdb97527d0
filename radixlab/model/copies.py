"""Numbers that a checkpoint states twice: they must be the same, or it is not known which is meant.

Knows two tensors in files, and compares them in pieces: neither has to fit into memory.
"""

import torch
from torch import Tensor

from radixlab.model.errors import WeightsError
from radixlab.model.tensorfile import Stored, opened

PIECE_NUMBERS = 2**22
"""Numbers of each tensor that are in memory at a time."""
CPU = torch.device("cpu")


def refuse_unless_equal(first: Stored, second: Stored, why: str) -> None:
    """Raise a `WeightsError` that names both, unless they hold the same numbers."""
    if first.shape != second.shape or not _are_equal(first, second):
        where = "" if first.path == second.path else f" of {first.path.name}"
        raise WeightsError(
            f"{second.path}: {why}, but tensor {second.name} is not tensor {first.name}{where}"
        )


def refuse_other_frequencies(stored: Stored, known: list[Tensor]) -> None:
    """Raise a `WeightsError` unless a file's frequencies of RoPE are among those that are known.

    Files keep them rounded, so a hundredth is allowed; another base is off by far more.
    """
    with opened(stored.path, CPU) as file:
        kept = file.get_tensor(stored.name).float()
    if not any(
        kept.shape == each.shape and torch.allclose(kept, each, rtol=0.01, atol=1e-6)
        for each in known
    ):
        raise WeightsError(
            f"{stored.path}: tensor {stored.name} is not what rope_theta and the scaling of "
            "config.json give"
        )


def _are_equal(first: Stored, second: Stored) -> bool:
    num_rows = first.shape[0] if first.shape else 1
    step = max(1, PIECE_NUMBERS * num_rows // max(1, first.num_numbers))
    with opened(first.path, CPU) as one, opened(second.path, CPU) as other:
        if not first.shape:
            return torch.equal(one.get_tensor(first.name), other.get_tensor(second.name))
        pieces = one.get_slice(first.name), other.get_slice(second.name)
        return all(
            torch.equal(*(piece[start : start + step].float() for piece in pieces))
            for start in range(0, num_rows, step)
        )
