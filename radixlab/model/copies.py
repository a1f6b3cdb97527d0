"""Numbers that a checkpoint states twice must be equal: otherwise it is unclear which are meant.

This file compares two stored tensors in pieces, so that neither has to fit into memory.
"""

import torch
from torch import Tensor

from radixlab.model.errors import WeightsError
from radixlab.model.tensorfile import Stored, opened

PIECE_NUMBERS = 2**22
"""Numbers of each tensor that are held in memory at a time."""
CPU = torch.device("cpu")


def refuse_unless_equal(first: Stored, second: Stored, why: str) -> None:
    """Raise a `WeightsError` that names both tensors, unless they hold the same numbers."""
    if first.shape != second.shape or not _are_equal(first, second):
        where = "" if first.path == second.path else f" of {first.path.name}"
        raise WeightsError(
            f"{second.path}: {why}, but tensor {second.name} differs from tensor "
            f"{first.name}{where}"
        )


def refuse_other_frequencies(stored: Stored, known: list[Tensor]) -> None:
    """Raise a `WeightsError` unless a file's RoPE frequencies equal one of the `known` ones.

    Files store them rounded, so a relative error of 1 % is allowed; a different base is off by far
    more.
    """
    with opened(stored.path, CPU) as file:
        kept = file.get_tensor(stored.name).float()
    if not any(
        kept.shape == each.shape and torch.allclose(kept, each, rtol=0.01, atol=1e-6)
        for each in known
    ):
        raise WeightsError(
            f"{stored.path}: tensor {stored.name} does not match rope_theta and the scaling "
            "of config.json"
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
