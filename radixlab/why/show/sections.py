"""The sections of the report's page, except the breaks: headline, bar, fixes, tree, notes."""

from collections.abc import Iterator

from radixlab.why.report import Fix, Report
from radixlab.why.show.markup import safe, swatch
from radixlab.why.show.paint import fill_of
from radixlab.why.show.tree import summary, tree_text
from radixlab.why.show.words import (
    FOUND,
    MEANINGS,
    NAMES,
    Prices,
    advice,
    by_cause,
    headline,
    money,
    number_of,
    percent,
    points,
    rates,
    share,
    shown,
    totals,
    verdict,
)

CANNOT = (
    "The hit rate is that of a replay: an ideal cache with the settings named in the command, and "
    "one server. A real provider spreads requests over machines, and may evict earlier.",
)


def head(report: Report, name: str) -> str:
    """Write the title, the two hit rates, and the verdict."""
    numbers = "".join(
        f'<div class="{size}"><dt>{term}</dt><dd>{number}</dd></div>'
        for size, term, number in _numbers(report)
    )
    rates_list = f'<dl class="rw-rates">{numbers}</dl>' if report.requests else ""
    return (
        "<header><h1>Why did this cache miss?</h1>"
        f'<p class="rw-soft rw-cut">{safe(shown(name))}: {safe(headline(report))}</p>'
        f'{rates_list}<p class="rw-verdict">{safe(verdict(report))}</p></header>'
    )


def _numbers(report: Report) -> Iterator[tuple[str, str, str]]:
    terms = {"hit rate": "hit rate now", "possible": "possible, with all fixes",
             "reported": "reported by the server"}  # fmt: skip
    found = {name: value for name, value, _ in rates(report)}
    for name in ("hit rate", "possible", "reported"):
        if name in found:
            yield "rw-less" if name == "reported" else "rw-more", terms[name], found[name]


def tokens(report: Report, prices: Prices | None) -> str:
    """Draw the bar of all prompt tokens, and a table of its parts."""
    parts = by_cause(report)
    requests = {total.cause: total.requests for total in totals(report)}
    rows = "".join(
        _row(cause, number, requests.get(cause), report, prices) for cause, number in parts.items()
    )
    cost = '<th scope="col">cost</th>' if prices else ""
    return (
        f"<section><h2>Where the prompt tokens went</h2>{_bar(parts, report.prompt_tokens)}"
        '<div class="rw-wide" tabindex="0" role="region" aria-label="Tokens by cause"><table>'
        '<thead><tr><th scope="col">cause</th><th scope="col">tokens</th><th scope="col">share</th>'
        f'<th scope="col" class="rw-requests">requests</th>{cost}'
        '<th scope="col" class="rw-means">what it means</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _bar(parts: dict[str, int], whole: int) -> str:
    rects, x = [], 0.0
    for cause, number in parts.items():
        width = 100 * share(number, whole)
        name = FOUND if cause == "found" else NAMES.get(cause, safe(cause))
        rects.append(
            f'<rect x="{x:.4f}%" width="{width:.4f}%" height="28" fill="{fill_of(cause)}">'
            f"<title>{name}: {percent(share(number, whole))}</title></rect>"
        )
        x += width
    said = ", ".join(
        f"{FOUND if cause == 'found' else NAMES.get(cause, safe(cause))} "
        f"{percent(share(number, whole))}"
        for cause, number in parts.items()
    )
    return f'<svg class="rw-bar" role="img" aria-label="{said}">{"".join(rects)}</svg>'


def _row(
    cause: str, number: int, requests: int | None, report: Report, prices: Prices | None
) -> str:
    name = FOUND if cause == "found" else NAMES.get(cause, safe(cause))
    costs = money(prices.lost(number)) if prices and cause != "found" else ""
    cost = f"<td>{costs}</td>" if prices else ""
    return (
        f'<tr><th scope="row">{swatch(cause)}{name}</th><td>{number:,}</td>'
        f"<td>{percent(share(number, report.prompt_tokens))}</td>"
        f'<td class="rw-requests">{"" if requests is None else f"{requests:,}"}</td>{cost}'
        f'<td class="rw-means">{MEANINGS.get(cause, "")}</td></tr>'
    )


def fixes(report: Report) -> str:
    """List the fixes with their measured gains, the largest first."""
    items = "".join(_fix(fix) for fix in report.fixes)
    said = (
        '<p class="rw-soft">Each gain is measured: the log is replayed with only that change. '
        "A fault in front of another hides its gain.</p>"
        if items
        else "<p>There is nothing to fix.</p>"
    )
    return f'<section><h2>What to change</h2>{said}<ol class="rw-fixes">{items}</ol></section>'


def _fix(fix: Fix) -> str:
    return (
        f'<li><div class="rw-gain">{points(fix.gain).removesuffix(" points")}'
        f"<span>points, to {percent(fix.hit_rate)}</span></div>"
        f'<div class="rw-cut">{safe(advice(fix))}<div class="rw-soft">{swatch(fix.cause)}'
        f"{NAMES.get(fix.cause, safe(fix.cause))}</div></div></li>"
    )


def tree(report: Report, picture: str) -> str:
    """Show the tree's picture, and the same as text."""
    if not report.branches:
        return ""
    lines = "\n".join(safe(line) for line in tree_text(report.branches))
    return (
        "<section><h2>The tree of prompts</h2>"
        '<p class="rw-soft">Prompts that begin alike share a branch. A cross marks a branch that '
        "exists because of a break.</p>"
        f'<div class="rw-wide" tabindex="0" role="region" aria-label="{summary(report.branches)}">'
        f"{picture}</div>"
        f"<details><summary>The tree as text</summary><pre>{lines}</pre></details></section>"
    )


def skipped(report: Report) -> str:
    """List the lines of the log that could not be used."""
    if not report.num_skipped:
        return ""
    items = "".join(f"<li>{safe(shown(line, 200))}</li>" for line in report.skipped_lines)
    left = report.num_skipped - len(report.skipped_lines)
    more = f"<li>… and {number_of(left, 'more line')}</li>" if left > 0 else ""
    return (
        f"<section><h2>{number_of(report.num_skipped, 'line')} of the log skipped</h2>"
        f'<details><summary>Which lines, and why</summary><ul class="rw-cut">{items}{more}</ul>'
        "</details></section>"
    )


def about(report: Report) -> str:
    """Say what the numbers rest on."""
    has_text = any(each.before or each.after for each in report.breaks)
    private = (
        "This report contains text of the prompts."
        if has_text
        else "This report contains no text of the prompts."
    )
    lines = "".join(f"<p>{line}</p>" for line in (*CANNOT, private))
    return f"<footer>{lines}</footer>"
