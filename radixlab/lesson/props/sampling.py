"""Two ways of decoding that fork: parallel sampling and beam search. The tokens are random.

This file knows the order of calls. The same code drives the engine and its naive twin, which copies
at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Cost:
    """The costs of a run."""

    copied_blocks: int
    peak_blocks: int
    """Most blocks in use at a time."""


def parallel_sampling(manager: Any, prompt: list[int], num_samples: int, num_steps: int) -> Cost:
    """Generate several answers to one prompt, one token of each in turn."""
    rng = np.random.default_rng(0)
    samples = [start(manager, prompt)]
    samples += [fork(manager, samples[0]) for _ in range(num_samples - 1)]
    for _ in range(num_steps):
        for sample in samples:
            append(manager, sample, int(rng.integers(1_000)))
    return finish(manager, samples, manager.stats().num_used_blocks)


def beam_search(manager: Any, prompt: list[int], width: int, num_steps: int) -> Cost:
    """Keep the best `width` of all continuations at each step; their scores are random.

    A beam with several survivors is forked; a beam without survivors is released.
    """
    rng, peak = np.random.default_rng(0), 0
    beams = [start(manager, prompt)]
    for _ in range(num_steps):
        scores = rng.random((len(beams), 2))  # [beams, continuations each]
        best = np.argsort(scores.ravel())[::-1][:width]
        survivors = np.bincount(best // 2, minlength=len(beams)).tolist()
        grown = []
        for beam, num in zip(beams, survivors, strict=True):
            if not num:
                manager.release(beam)
                continue
            grown += [beam, *(fork(manager, beam) for _ in range(num - 1))]
        beams = grown
        for beam in beams:
            append(manager, beam, int(rng.integers(1_000)))
        peak = max(peak, manager.stats().num_used_blocks)
    return finish(manager, beams, peak)


def start(manager: Any, prompt: list[int]) -> Any:
    """Admit a prompt and register its full blocks."""
    sequence = manager.allocate(prompt)
    manager.commit(sequence, len(prompt))
    return sequence


def fork(manager: Any, sequence: Any) -> Any:
    """Fork, and run the copies that an eager manager orders at the fork."""
    child = manager.fork(sequence)
    manager.complete(child.copies)
    return child


def append(manager: Any, sequence: Any, token: int) -> None:
    """Append a token, and run the copies that this needs."""
    manager.complete(manager.append(sequence, [token]))


def finish(manager: Any, sequences: list[Any], peak_blocks: int) -> Cost:
    """Release the running sequences, and return the costs."""
    for sequence in sequences:
        manager.release(sequence)
    return Cost(manager.stats().copied_blocks, peak_blocks)
