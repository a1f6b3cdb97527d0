"""All checks, in the order in which they run.

A reset and clients that leave come late, because they could spoil what follows; counters are
compared at the very end, over every page that was seen.
"""

from collections.abc import Iterable

from radixlab.certify.check import Check
from radixlab.certify.checks import (
    cached,
    counters,
    events,
    leaving,
    prompt_logprobs,
    refusals,
    salts,
    same,
    turns,
    usage,
)
from radixlab.certify.outcome import CertifyError
from radixlab.choices import not_one_of

CHECKS: dict[str, Check] = {
    check.id: check
    for check in (
        usage.COUNTS,
        cached.BLOCKS,
        cached.ONE_LEFT,
        salts.SALTS,
        salts.ADAPTERS,
        same.STREAM,
        same.SAME,
        same.TOGETHER,
        prompt_logprobs.PROMPT_LOGPROBS,
        turns.TURNS,
        turns.CHOICES,
        refusals.SHAPE,
        refusals.UNHARMED,
        counters.USAGE,
        counters.SUMS,
        events.REPLAY,
        cached.RESET,
        leaving.FREES,
        leaving.UNHARMED,
        counters.MONOTONE,
    )
}


def chosen(only: Iterable[str]) -> list[Check]:
    """Return the checks of these ids, in their own order; all for none.

    A family, such as `cached`, stands for all its checks. Raises `CertifyError`.
    """
    wanted = [*only]
    if not wanted:
        return [*CHECKS.values()]
    families = dict.fromkeys(id.partition(".")[0] for id in CHECKS)
    for name in wanted:
        if name not in CHECKS and name not in families:
            raise CertifyError(f"check {not_one_of(name, [*families, *CHECKS])}")
    return [c for c in CHECKS.values() if any(_is_meant(name, c.id) for name in wanted)]


def _is_meant(name: str, id: str) -> bool:
    return name in (id, id.partition(".")[0])
