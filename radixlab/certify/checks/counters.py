"""The counters of `/metrics`: they never fall, they add up, and they count what `usage` says."""

from collections.abc import Iterator, Mapping

from radixlab.certify.answer import Usage
from radixlab.certify.check import Check, base_of, priced, unit_of
from radixlab.certify.checks.quiet import looks, until_quiet
from radixlab.certify.outcome import CannotTell, Proof
from radixlab.certify.pages import gauge, num_active, total
from radixlab.certify.server import Server
from radixlab.certify.trial import Trial
from radixlab.observe.monitor.exposition import Labels, Page, without
from radixlab.observe.monitor.reading import Reading

NUM_TOKENS = 4
MOST_LAG_S = 10.0
"""By how much a counter may be late."""
PARTS = ("_bucket", "_count", "_sum")
STARTED = "process_start_time_seconds"
STATES = ("free_blocks", "evictable_blocks", "in_use_blocks", "in_transfer_blocks")


# ---- counters.usage


def _run_usage(trial: Trial) -> str:
    server = trial.server
    server.pages.need()
    is_known = until_quiet(trial, "counters would count others' requests")
    before = server.pages.need()
    usages = _send(trial)
    expected = _expected(server, usages)
    after = _after(trial, before, expected)
    if _num_requests(before, after) > len(usages):
        raise CannotTell("other requests were counted meanwhile")
    names = [name for name in expected if total(after, name) is not None]
    if not names:
        raise CannotTell("no counter of tokens or requests is published")
    is_alone = is_known and num_active(after) == 0 and "requests" in names
    for name in names:
        got = _grown(before, after, name)
        right = sorted(expected[name])
        what = f"{after.engine.sources[name].name} after {len(usages)} requests"
        said = " or ".join(f"{number:,}" for number in right)
        proof: Proof = "certain" if is_alone else "repeated"
        trial.note(what, f"{got:,.0f} more", f"{said} more", got in right, proof)
    return f"{', '.join(names)} grew by what usage says"


def _send(trial: Trial) -> list[Usage]:
    """Ask for prompts that are found in part, wholly and not at all."""
    server = trial.server
    base, unit = base_of(server), unit_of(server)
    prompt = trial.fresh(base + 3 * unit + 1)
    fork = trial.fork(prompt, base + 2 * unit, base + 3 * unit + 2)
    asked = (prompt, prompt, fork, trial.fresh(max(2, unit // 2)))
    return [server.ask(each, NUM_TOKENS).usage for each in asked]


def _expected(server: Server, usages: list[Usage]) -> dict[str, set[int]]:
    """Return by how much each counter may have grown."""
    expected: dict[str, set[int]] = {"requests": {len(usages)}}
    prompts = [usage.prompt_tokens for usage in usages]
    if None not in prompts:
        asked = sum(number or 0 for number in prompts)
        expected |= {"prompt_tokens": {asked}, "queried_tokens": {asked}}
    answered = [usage.completion_tokens for usage in usages]
    if None not in answered:
        expected["generation_tokens"] = {sum(number or 0 for number in answered)}
    if server.reports_cached:
        cached = [usage.cached_tokens or 0 for usage in usages]
        expected["hit_tokens"] = {sum(cached)}
        if server.grid:  # whether part of a block counts is the business of `cached.blocks`
            expected["hit_tokens"].add(sum(map(server.grid.whole, cached)))
    return expected


def _after(trial: Trial, before: Reading, expected: Mapping[str, set[int]]) -> Reading:
    """Look until the counters have the expected values, or until the patience is over."""
    after = before
    for _ in looks(min(MOST_LAG_S, trial.server.patience_s)):
        after = trial.server.pages.need()
        grown = {name: _grown(before, after, name) for name in expected if total(after, name)}
        if all(grown[name] in expected[name] for name in grown):
            break
    return after


def _grown(before: Reading, after: Reading, name: str) -> float:
    return (total(after, name) or 0) - (total(before, name) or 0)


def _num_requests(before: Reading, after: Reading) -> float:
    return _grown(before, after, "requests")


USAGE = Check(
    "counters.usage",
    "Counters count what usage says",
    "Between two looks the counters of requests, prompt, generated, queried and hit tokens grow by "
    "the sums of the answers' usage.",
    _run_usage,
    lambda server: priced(
        server, 4, 4 * base_of(server) + 11 * unit_of(server) + 10 + 4 * NUM_TOKENS
    ),
)


# ---- counters.sums


def _run_sums(trial: Trial) -> str:
    server = trial.server
    server.pages.need()
    _send(trial)
    until_quiet(trial, "a page may be written between two counts")
    reading = server.pages.need()
    sums = [*_token_sums(trial, reading), *_block_sums(trial, reading)]
    sums += _histograms(trial, server.pages.kept[-1])
    if not sums:
        raise CannotTell("nothing is published that must add up")
    return f"they add up: {', '.join(sums)}"


def _token_sums(trial: Trial, reading: Reading) -> Iterator[str]:
    names = ("hit_tokens", "missed_tokens", "queried_tokens")
    hits, misses, queries = (total(reading, name) for name in names)
    if queries is None or hits is None:
        return
    said = f"{queries:,.0f} queries"
    if misses is None:
        is_right = hits <= queries
        trial.note("hits of the cache", f"{hits:,.0f}", f"at most {said}", is_right, "repeated")
        yield "hits are at most the queries"
        return
    both = hits + misses
    trial.note("hits and misses, together", f"{both:,.0f}", said, both == queries, "repeated")
    yield "hits and misses are the queries"


def _block_sums(trial: Trial, reading: Reading) -> Iterator[str]:
    states = [gauge(reading, name) for name in STATES]
    pool = gauge(reading, "num_blocks")
    if pool is None or None in states:
        return
    found = sum(number or 0 for number in states)
    what = "blocks that are free, evictable, in use or in transfer"
    trial.note(what, f"{found:,.0f}", f"the pool's {pool:,.0f}", found == pool, "repeated")
    yield "the states of blocks are the pool"


def _histograms(trial: Trial, page: Page) -> Iterator[str]:
    """Look at every histogram: its buckets never fall, and the last one is its count."""
    names = [name for name, kind in page.types.items() if kind == "histogram"]
    for name in names:
        wrong = _wrong_histogram(page, name)
        if wrong:
            trial.note(f"the histogram {name}", wrong, "buckets that add up", False, "repeated")
    if names:
        trial.note(f"{len(names)} histograms", "looked at", "buckets that add up", True)
        yield f"{len(names)} histograms"


def _wrong_histogram(page: Page, name: str) -> str | None:
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, value in page.samples.get(f"{name}_bucket", {}).items():
        bound = float(dict(labels).get("le", "inf").replace("+Inf", "inf"))
        groups.setdefault(without(labels, ("le",)), []).append((bound, value))
    for group, buckets in groups.items():
        values = [value for _, value in sorted(buckets)]
        if values != sorted(values):
            return "a bucket holds less than a lower one"
        count = page.samples.get(f"{name}_count", {}).get(group)
        if count is not None and count != values[-1]:
            return f"the last bucket holds {values[-1]:,.0f}, and the count is {count:,.0f}"
    return None


SUMS = Check(
    "counters.sums",
    "Counters add up",
    "Hits and misses add up to the queries (where misses are not counted, hits are at most the "
    "queries), and blocks in all states to the pool; the buckets of a histogram never fall, and "
    "its last one is its count.",
    _run_sums,
    USAGE.cost,
)


# ---- counters.monotone


def _run_monotone(trial: Trial) -> str:
    """Look at every page of this run, with a few requests more before the last one."""
    server = trial.server
    server.pages.need()
    _send(trial)
    server.pages.need()
    pages = server.pages.kept
    if len({started for page in pages for started in page.samples.get(STARTED, {}).values()}) > 1:
        raise CannotTell("the server was started again, or several servers answer")
    num = len(_counters(pages[-1]))
    fallen = [*_falls(pages)]
    if len({name for name, *_ in fallen}) > max(3, num // 2):
        raise CannotTell(f"{len(fallen)} counters fell at once: several servers seem to answer")
    for name, before, after in fallen[:5]:
        what = f"{name} on two pages, one after the other"
        saw = f"{before:,.0f}, then {after:,.0f}"
        trial.note(what, saw, "no fall", False, "certain")
    trial.note(f"{num} counters on {len(pages)} pages", f"{len(fallen)} fell", "0 fell", not fallen)
    return f"none of {num} counters fell on {len(pages)} pages"


def _counters(page: Page) -> dict[tuple[str, Labels], float]:
    """Return every sample that may never fall."""
    names = {name for name, kind in page.types.items() if kind == "counter"}
    for name, kind in page.types.items():
        if kind == "histogram":
            names |= {name + part for part in PARTS}
    found = {name: page.samples.get(name, {}) for name in names}
    return {(name, labels): v for name, each in found.items() for labels, v in each.items()}


def _falls(pages: list[Page]) -> Iterator[tuple[str, float, float]]:
    last: dict[tuple[str, Labels], float] = {}
    for page in pages:
        now = _counters(page)
        for key, value in now.items():
            if value < last.get(key, value):
                yield key[0], last[key], value
        last |= now


MONOTONE = Check(
    "counters.monotone",
    "Counters never fall",
    "No counter, and no part of a histogram, is smaller on a page than on an earlier one; all "
    "pages of the whole run are compared.",
    _run_monotone,
    USAGE.cost,
)
