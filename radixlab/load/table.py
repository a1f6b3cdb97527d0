"""A run's report as text, and its ledger as CSV.

This file knows reports and ledgers. It measures nothing.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from radixlab.columns import aligned
from radixlab.load.ledger import Ledger
from radixlab.load.reconcile import Reconciliation
from radixlab.load.report import Cached, LoadReport, Spread

MOST_ROWS = 12
"""Turns or sessions that are listed; the rest is in the JSON."""
COLUMNS = (
    *("index", "status", "error", "finish_reason", "label", "session", "turn", "salt"),
    *("due_s", "sent_s", "first_token_s", "over_s", "ttft_s", "mean_gap_s", "total_s"),
    *("sent_tokens", "max_tokens", "prompt_tokens", "cached_tokens", "output_tokens"),
)


def text(report: LoadReport) -> str:
    """Write the report for a terminal."""
    parts = ["\n".join(_counts(report)), _latencies(report)]
    if report.by_turn:
        parts.append(_cached("turn", report.by_turn))
        least = sorted(report.by_session, key=lambda each: each.hit_rate or 0.0)
        parts.append(_cached("session (least cached first)", least))
    return "\n\n".join(parts)


def checked_text(checked: Reconciliation) -> str:
    """Write what the comparison with the server's counters found."""
    rows = [
        (
            row.quantity,
            *map(_number, (row.server, row.ledger, row.difference)),
            _verdict(row.agrees),
        )
        for row in checked.rows
    ]
    header = ("", "server", "ledger", "difference", "")
    lines = aligned([header, *rows]) if rows else []
    if checked.is_exact:
        lines.append("The server's counters equal the ledger.")
    elif checked.agrees:
        lines.append("The differences are those of requests that did not finish.")
    else:
        lines.append("The server's counters do not agree with the ledger.")
    return "\n".join([*lines, *checked.problems])


def write_csv(path: Path, ledger: Ledger) -> None:
    """Write a row for each request, in order of their numbers."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for line in sorted(ledger, key=lambda line: line.index):
            fields = asdict(line)
            derived = {name: getattr(line, name) for name in ("ttft_s", "mean_gap_s", "total_s")}
            writer.writerow([_cell((fields | derived)[name]) for name in COLUMNS])


def _counts(report: LoadReport) -> Iterator[str]:
    seconds = f"{report.duration_s:,.1f} s"
    yield (
        f"{report.sent:,} requests sent in {seconds}: {report.finished:,} finished, "
        f"{report.failed:,} failed, {report.aborted:,} aborted; {report.not_sent:,} not sent"
    )
    for kind, number in report.errors.items():
        yield f"  failed: {kind}: {number:,}"
    if report.requests_per_s is not None and report.output_tokens_per_s is not None:
        yield (
            f"{report.requests_per_s:.2f} requests and {report.output_tokens_per_s:,.1f} tokens "
            "of answers a second"
        )
    hits = report.all
    if hits.hit_rate is not None:
        yield (
            f"{hits.cached_tokens:,} of {hits.prompt_tokens:,} prompt tokens were cached "
            f"({hits.hit_rate:.1%})"
        )
    if report.num_without_cached_tokens:
        number = report.num_without_cached_tokens
        yield f"{number:,} answers do not say how many tokens were cached; they are left out"
    if report.num_good is not None and report.goodput_per_s is not None:
        share = f"{report.num_good / report.sent:.1%}" if report.sent else "no data"
        yield (
            f"goodput: {report.goodput_per_s:.2f} requests a second ({share} of those sent) met "
            "the objective"
        )


def _latencies(report: LoadReport) -> str:
    spreads = {
        "first token": report.ttft_s,
        "next token": report.inter_token_s,
        "whole answer": report.total_s,
    }
    rows = [(name, *_milliseconds(spread)) for name, spread in spreads.items()]
    return "\n".join(aligned([("milliseconds", "mean", "50 %", "90 %", "99 %", "most"), *rows]))


def _milliseconds(spread: Spread) -> Iterator[str]:
    for value in (spread.mean, spread.p50, spread.p90, spread.p99, spread.max):
        yield "no data" if value is None else f"{1000 * value:,.1f}"


def _cached(name: str, groups: Sequence[Cached]) -> str:
    rows = [
        (
            each.name,
            f"{each.requests:,}",
            f"{each.prompt_tokens:,}",
            f"{each.cached_tokens:,}",
            "no data" if each.hit_rate is None else f"{each.hit_rate:.1%}",
        )
        for each in groups[:MOST_ROWS]
    ]
    left = len(groups) - MOST_ROWS
    lines = aligned([(name, "requests", "prompt tokens", "cached", "hit rate"), *rows])
    table = "\n".join(lines)
    return f"{table}\n… and {left:,} more (--json has all)" if left > 0 else table


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _verdict(agrees: bool) -> str:
    return "" if agrees else "does not agree"


def _cell(value: object) -> object:
    return "" if value is None else round(value, 6) if isinstance(value, float) else value
