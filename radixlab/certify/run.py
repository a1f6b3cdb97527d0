"""A whole run: look, say what it will cost, learn what the server is, and check.

models, metrics ─► survey (announced) ─► plan (announced) ─► check after check ─► report
"""

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx

from radixlab.certify.budget import Budget
from radixlab.certify.check import Check, Cost
from radixlab.certify.http import Http
from radixlab.certify.outcome import CannotTell, CertifyError, Result, judge
from radixlab.certify.pages import Pages
from radixlab.certify.prompts import Form
from radixlab.certify.registry import chosen
from radixlab.certify.report import Report
from radixlab.certify.seeds import leave_mark, use_fresh
from radixlab.certify.server import RefusedError, Server
from radixlab.certify.source import EventSource
from radixlab.certify.survey import find_model, survey, survey_cost
from radixlab.certify.trial import Trial

TOKENS = 250_000
"""Most tokens that a run spends by default."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a server is reached and examined."""

    api_key: str | None = None
    operator_key: str | None = None
    """Opens metrics and reset where the clients' key does not."""
    model: str | None = None
    form: Form | None = None
    """How prompts are sent; by default as the server takes them."""
    block_size: int | None = None
    seed: str | None = None
    most_tokens: int = TOKENS
    timeout_s: float = 60.0
    patience_s: float = 30.0
    """Seconds to wait for a busy server, a counter or an event."""
    may_reset: bool = True
    kv_events: str | None = None
    kv_events_replay: str | None = None
    topic: str = ""
    transport: httpx.BaseTransport | None = None
    """What carries the requests; by default the network."""

    def __post_init__(self) -> None:
        if self.most_tokens < 1:
            raise CertifyError(f"most_tokens must be at least 1, not {self.most_tokens}")
        if self.block_size is not None and self.block_size < 1:
            raise CertifyError(f"block_size must be at least 1, not {self.block_size}")
        if self.kv_events_replay and not self.kv_events:
            raise CertifyError("kv_events_replay needs kv_events")


def certify(
    url: str,
    only: Iterable[str] = (),
    options: Options | None = None,
    say: Callable[[str], object] | None = None,
    on_result: Callable[[Result], object] | None = None,
) -> Report:
    """Examine the server at an address; the checks named in `only`, or all.

    `say` gets what the run will spend, before it is spent; `on_result` gets each result as soon as
    it is there. Raises `CertifyError` if the server cannot be examined at all.
    """
    options, checks = options or Options(), chosen(only)
    say, on_result = say or (lambda line: None), on_result or (lambda result: None)
    with ExitStack() as stack:
        http = stack.enter_context(
            Http(
                url,
                options.api_key,
                options.operator_key,
                options.timeout_s,
                options.patience_s,
                options.transport,
            )
        )
        server = _look(http, options)
        if options.kv_events:
            server.events = EventSource(options.kv_events, options.kv_events_replay, options.topic)
            stack.callback(server.events.close)
        why_not = _learn(server, options, say)
        if why_not is None:
            say(_plan(server, checks))
        results = []
        for check in checks:
            results.append(_run(check, server, why_not))
            on_result(results[-1])
        if options.seed is not None and why_not is None:
            leave_mark(server)
    spent = server.budget
    return Report(
        http.root,
        server.model,
        server.seed,
        _profile(server),
        tuple(results),
        spent.num_requests,
        spent.num_tokens,
    )


def _look(http: Http, options: Options) -> Server:
    """Find the model and the metrics, which costs no token."""
    model, max_len, adapters = find_model(http, options.model)
    pages = Pages(http)
    try:
        pages.look()
    except CannotTell as error:
        pages.why_none = str(error)
    return Server(
        http,
        Budget(options.most_tokens),
        pages,
        model,
        options.seed or secrets.token_hex(4),
        max_len=max_len,
        adapters=adapters,
        may_reset=options.may_reset,
        patience_s=options.patience_s,
    )


def _learn(server: Server, options: Options, say: Callable[[str], object]) -> str | None:
    """Survey the server; return why it cannot be asked, if so."""
    cost = survey_cost(server)
    say(
        f"{server.http.root}, model {_shown(server.model)}: to learn how it takes "
        f"prompts, at most {cost.num_requests} requests and {cost.num_tokens:,} tokens"
    )
    try:
        survey(server, options.form, options.block_size)
        if options.seed is not None:
            use_fresh(server)
    except CannotTell as error:
        return f"the server could not be surveyed: {error}"
    return None


def _shown(name: str) -> str:
    """Return a server's word, short, and without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in name[:80])


def _plan(server: Server, checks: list[Check]) -> str:
    cost = sum((check.cost(server) for check in checks), Cost(0, 0))
    line = (
        f"then {len(checks)} checks, with seed {server.seed}: {cost.num_requests} requests and "
        f"{cost.num_tokens:,} tokens if none is repeated, and never more than "
        f"{server.budget.most_tokens:,} tokens in all"
    )
    if {"cached.reset", "events.replay"} & {check.id for check in checks} and server.may_reset:
        line += "; the cache is emptied for everybody (--no-reset leaves that out)"
    if any(check.id == "events.replay" for check in checks) and server.events:
        line += "; events.replay may fill the cache once"
    return line


def _profile(server: Server) -> dict[str, Any]:
    """Return what is known about the server."""
    pages, grid = server.pages, server.grid
    return {
        "prompts": {"ids": "token ids", "text": "text", "chat": "chats"}[server.form],
        "reports_cached_tokens": server.reports_cached,
        "block_size": grid.step if grid else None,
        "shortest_cached_prefix": grid.minimum if grid else None,
        "block_size_source": grid.source if grid else server.why_no_grid,
        "max_model_len": server.max_len,
        "metrics": pages.why_none or "read",
        "kv_events": server.events.endpoint if server.events else None,
    }


# ---- one check


def _run(check: Check, server: Server, why_not: str | None) -> Result:
    """Run a check; a failure on the way becomes a verdict too."""
    budget, start = server.budget, time.monotonic()
    requests, tokens = budget.num_requests, budget.num_tokens
    trial = Trial(server, server.prompts(check.id))
    verdict, reason = "cannot tell", why_not or ""
    if why_not is None:
        verdict, reason = _verdict(check, trial)
    return Result(
        check.id,
        check.title,
        check.rule,
        verdict,  # type: ignore[arg-type]
        reason,
        tuple(trial.seen),
        budget.num_requests - requests,
        budget.num_tokens - tokens,
        time.monotonic() - start,
    )


def _verdict(check: Check, trial: Trial) -> tuple[str, str]:
    server = trial.server
    try:
        before = server.pages.last_traffic or _traffic(server)
        said = check.run(trial)
        return judge(trial.seen, _is_disturbed(server, before), said)
    except RefusedError as error:
        why = f"the server refuses a request of this check: {error}"
    except CannotTell as error:
        why = str(error)
    certain = [each for each in trial.seen if each.proof == "certain"]
    if any(not each.is_right for each in certain):  # what was seen before stays true
        return judge(certain, None, "")
    return "cannot tell", why


def _traffic(server: Server) -> tuple[float, float] | None:
    try:
        return server.pages.traffic()
    except CannotTell:
        return None


def _is_disturbed(server: Server, before: tuple[float, float] | None) -> bool | None:
    """Whether others' prompts ran during a check; None if nobody counts.

    What only runs at the end was sent by us, if no prompt of others was counted meanwhile.
    """
    after = _traffic(server)
    if before is None or after is None:
        return None
    return after[0] > max(0.0, before[0]) or before[1] > 0
