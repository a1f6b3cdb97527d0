"""One request of a workload: what a client sends, and what the model will have answered.

It knows token ids and whose they are, and nothing of blocks, caches or files.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radixlab.events import Namespace

TokenArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A prompt and its answer, both fixed in advance, so that every manager sees the same traffic.

    Arrays that can still be written to are copied: nobody changes a request after it was made.

    >>> request = Request(np.array([1, 2, 3], np.int32), np.array([4], np.int32))
    >>> request.num_tokens, request.prompt.flags.writeable
    (4, False)
    """

    prompt: TokenArray
    """int32 `[num_prompt_tokens]`, read-only."""
    output: TokenArray
    """int32 `[num_output_tokens]`, read-only."""
    arrival_s: float | None = None
    """Seconds since the start of the trace, None where the workload has no clock."""
    label: str | None = None
    """What to call the request in a picture."""
    namespace: Namespace | None = None
    """Whose cache it may use, such as `("salt", "tenant-3")`; None where all share one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", _read_only("prompt", self.prompt))
        object.__setattr__(self, "output", _read_only("output", self.output))

    @property
    def num_tokens(self) -> int:
        """Prompt and output."""
        return len(self.prompt) + len(self.output)


def _read_only(name: str, tokens: TokenArray) -> TokenArray:
    if tokens.dtype != np.int32 or tokens.ndim != 1:
        raise ValueError(f"{name} must be int32 [n], not {tokens.dtype} {list(tokens.shape)}")
    return frozen(tokens.copy()) if tokens.flags.writeable else tokens


def frozen(tokens: TokenArray) -> TokenArray:
    """Make an array of one's own read-only, in place, and return it."""
    tokens.flags.writeable = False
    return tokens
