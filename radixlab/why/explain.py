"""`explain(log)`: replay a log of requests, and say why its prompts missed a prefix cache.

One pass counts every token as a hit or for one cause (`analysis.py`). If a cause can be avoided, a
second pass replays the log, once without each such cause and once without all of them (`fixes.py`).
So advice is measured, not guessed.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from radixlab.config import ConfigError, positive
from radixlab.why.analysis import Analysis
from radixlab.why.branches import branches_of
from radixlab.why.errors import WhyError
from radixlab.why.fixes import measured_fixes
from radixlab.why.groups import Group
from radixlab.why.profiles import Profile, profile_of
from radixlab.why.report import CauseRow, Report
from radixlab.why.request import Request
from radixlab.why.source import Source
from radixlab.why.tokenizers import open_tokenizer
from radixlab.why.words import Words

MOST_SKIPPED = 100
"""Skipped lines that the report names; it counts all."""
Progress = Callable[[int, int], object]


def explain(
    log: str | Path | Iterable[Request],
    *,
    block_size: int = 16,
    num_blocks: int | None = None,
    ttl: float | None = None,
    profile: str | Profile | None = None,
    tokenizer: str | Path | None = None,
    text: bool = True,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Say why the prompts of a log missed, and what it would bring to change it.

    `log` is a file (see `reading.py`) or requests. With `num_blocks`, the cache is a pool of that
    many blocks; with `ttl`, in seconds, a prefix is forgotten when it was not used for longer. The
    `profile` is a provider's or an engine's rules (`profiles.py`). Without a `tokenizer`, four
    bytes are a token. Without `text`, the report holds nothing of the prompts. `limit` is the most
    requests that are read. `progress` is told the bytes (of a file) or requests done, and of how
    many.

    Raises `WhyError` for a log or an option that cannot be used.
    """
    rules = profile_of(profile, block_size)
    _check(num_blocks, ttl, limit)
    skipped = _Skipped()
    counting = open_tokenizer(tokenizer)
    source = Source(log, counting, skipped.tell, limit)
    try:
        words = Words(text)
        analysis = Analysis(source, counting, rules, num_blocks, ttl, words)
        meter = Meter(progress, log, source)
        for request in source:
            analysis.take(request)
            meter.at(request, 0)
        num_sessions = analysis.references.num_sessions
        analysis.groups.decide(analysis.totals.requests, num_sessions)
        fixes, possible = measured_fixes(analysis, num_blocks, meter)
        totals = analysis.totals
        return Report(
            requests=totals.requests,
            skipped_lines=tuple(skipped.lines),
            num_skipped=skipped.num,
            prompt_tokens=totals.prompt_tokens,
            hit_tokens=totals.hit_tokens,
            reported_hit_rate=_reported(analysis),
            possible_hit_rate=possible,
            tokenizer=counting.name,
            causes=_causes(analysis),
            fixes=fixes,
            breaks=analysis.breaks.largest(),
            branches=branches_of(
                analysis.cache.index, source, rules.block_size, analysis.breaks.by_request(), text
            ),
        )
    finally:
        source.close()


class _Skipped:
    """Lines of the log that could not be used."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.num = 0

    def tell(self, line: str) -> None:
        self.num += 1
        if len(self.lines) < MOST_SKIPPED:
            self.lines.append(line)


class Meter:
    """Tells the caller how far the passes over the log are; it never goes back."""

    EVERY = 64

    def __init__(
        self, progress: Progress | None, log: str | Path | Iterable[Request], source: Source
    ) -> None:
        self._progress = progress
        self._size = os.path.getsize(log) if isinstance(log, str | Path) else None
        self._source, self._num, self._most = source, 0, 0
        self.passes = 1

    def at(self, request: Request, number_of_pass: int) -> None:
        """Report after a request of a pass."""
        self._num += 1
        if self._progress is None or self._num % self.EVERY:
            return
        size = self._size if self._size is not None else len(self._source)
        done = request.offset if self._size is not None else self._num % max(size, 1)
        total = size * self.passes
        self._most = max(self._most, min(number_of_pass * size + done, total))
        self._progress(self._most, total)


def _check(num_blocks: int | None, ttl: float | None, limit: int | None) -> None:
    try:
        for name, value in (("num_blocks", num_blocks), ("limit", limit)):
            if value is not None:
                positive(name, value, 2**28 if name == "num_blocks" else None)
    except ConfigError as error:
        raise WhyError(str(error)) from None
    if ttl is not None and not ttl > 0:
        raise WhyError(f"ttl must be a number of seconds above 0, not {ttl!r}")


def _reported(analysis: Analysis) -> float | None:
    totals = analysis.totals
    if not totals.reported_prompt_tokens:
        return None
    return totals.reported_cached_tokens / totals.reported_prompt_tokens


def _causes(analysis: Analysis) -> tuple[CauseRow, ...]:
    """Return what can be avoided, most tokens first, then what nobody has asked for before."""
    totals = analysis.totals
    rows: dict[tuple[object, ...], CauseRow] = {}
    never = [totals.num_never_seen, totals.never_seen]
    for group in sorted(analysis.groups.all, key=lambda group: -group.tokens):
        if group.cause == "never_seen":
            never[0], never[1] = never[0] + group.requests, never[1] + group.tokens
        elif group.tokens:
            key = group.cause, group.verdict.kind, group.verdict.key[:1], group.rank
            rows[key] = _with(rows.get(key), group)
    causes = sorted(rows.values(), key=lambda row: (-row.tokens_lost, row.cause, row.where))
    if never[1]:
        requests = min(never[0], totals.requests)
        causes.append(CauseRow("never_seen", requests, never[1], "", "", ""))
    return tuple(causes)


def _with(row: CauseRow | None, group: Group) -> CauseRow:
    """Return a row with a group more: the same kind of difference elsewhere in the same field.

    The place and the values are those of the group that has cost most.
    """
    if row is None:
        _, where, before, after = group.place
        return CauseRow(group.cause, group.requests, group.tokens, where, before, after)
    requests, tokens = row.requests + group.requests, row.tokens_lost + group.tokens
    return replace(row, requests=requests, tokens_lost=tokens)
