"""The report of `radixlab bench route`: rules in a table, controls below, and a picture."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from radixlab.bench.pictures import PictureError, require_writable
from radixlab.bench.report import count
from radixlab.bench.route import CONTROLS, Progress, Trial, control_of, run_trial
from radixlab.bench.table import Shown, TableReport
from radixlab.extras import what_to_install
from radixlab.route.wind import Outcome

HEADER = (
    *("rule", "hit rate", "busiest ÷ mean", "wait p50", "wait p95"),
    *("first p50", "first p95", "choice, µs"),
)
WHAT_CONTROLS_SHOW = {
    "nothing-shared": "Control: prompts that share nothing. No rule can find anything",
    "one-hot-prefix": "Control: 60 % of the prompts begin with one document. Affinity without a "
    "bound on the load sends them all to one replica",
}


def measure_route(
    command: str,
    trial: Trial,
    rules: Sequence[str],
    progress: Progress,
    num_jobs: int | None = None,
    with_controls: bool = True,
    plot: Path | None = None,
    results: Path | None = None,
) -> TableReport:
    """Run the rules and the controls; raises what is wrong with the arguments before that.

    `plot` gets the picture. `results` is the Markdown file that the report will be in, which says
    how the picture is linked.
    """
    draw = _drawer(plot)
    start = time.monotonic()
    trial.make()
    outcomes = run_trial(trial, rules, num_jobs, progress)
    is_complete = len(outcomes) == len(rules)
    draw(outcomes, _caption(trial))
    more = []
    for name in CONTROLS if with_controls and is_complete else ():
        control = control_of(trial, name)
        found = run_trial(control, rules, num_jobs, progress)
        more.append(_table(control, found, f"{WHAT_CONTROLS_SHOW[name]}. {_caption(control)}"))
    cost = _cost(outcomes.values(), time.monotonic() - start)
    stopped = "" if is_complete else " Stopped after the rules that are listed."
    what = f"{_caption(trial)}. {_constants(trial)}. {cost}. {_load_now()}.{stopped}"
    title = "Routing to replicas, in a wind tunnel"
    table = _table(trial, outcomes, what)
    picture = _link(plot, results) if plot and results else ""
    return replace(table, title=title, command=command, more=more, picture=picture)


def _link(plot: Path, results: Path) -> str:
    where = os.path.relpath(plot.resolve(), results.resolve().parent).replace(os.sep, "/")
    return f"![Hit rate, balance and waits by rule]({where})"


def _table(trial: Trial, outcomes: Mapping[str, Outcome], what: str) -> TableReport:
    rejected = max((outcome.num_rejected for outcome in outcomes.values()), default=0)
    if rejected:
        what += f". {count(rejected, 'request')} fit no empty replica, and are in no figure"
    rows = [_row(rule, outcome) for rule, outcome in outcomes.items()]
    return TableReport(trial.traffic, "", what, HEADER, rows)


def _row(rule: str, outcome: Outcome) -> list[str | Shown]:
    return [
        rule,
        Shown(round(outcome.hit_rate, 6), ".4f"),
        Shown(round(outcome.worst_share, 3), ".2f"),
        Shown(round(outcome.wait(0.5), 3), ".2f"),
        Shown(round(outcome.wait(0.95), 3), ".2f"),
        Shown(round(outcome.first_token(0.5), 3), ".2f"),
        Shown(round(outcome.first_token(0.95), 3), ".2f"),
        Shown(round(outcome.choice_us, 1), ".1f"),
    ]


def _caption(trial: Trial) -> str:
    traffic = trial.make()
    model = trial.model
    load = traffic.load(trial.num_replicas, model.prefill_tokens_per_s)
    copies = count(traffic.num_copies, "copy") if traffic.num_copies == 1 else (
        f"{traffic.num_copies} copies with fresh sessions"
    )  # fmt: skip
    return (
        f"{traffic.num_requests:,} requests of {Path(traffic.name).name} ({copies}) to "
        f"{count(trial.num_replicas, 'replica')} in {traffic.duration_s / 60:.0f} simulated "
        f"minutes; without a cache, computing the prompts would take {load:.0%} of the time"
    )


def _constants(trial: Trial) -> str:
    model = trial.model
    return (
        f"A replica has room for {model.cache_tokens:,} tokens, computes one prompt at a time at "
        f"{model.prefill_tokens_per_s:,.0f} tokens/s, needs {1000 * model.decode_s_per_token:g} ms "
        f"for a token of an answer, runs up to {model.num_slots} requests, and its KV events "
        f"arrive after {1000 * model.event_delay_s:g} ms. Hit rate: of prompt tokens. Busiest: its "
        f"requests. Wait: simulated seconds until a prompt is begun; first: until its first token. "
        f"A choice is timed on this machine, every 64th, and the median is shown"
    )


def _cost(outcomes: Iterable[Outcome], wall_s: float) -> str:
    """Say what the runs took; two processes hold memory at the same time."""
    seconds = sum(outcome.cpu_s for outcome in outcomes)
    peaks: dict[int, float] = {}
    for outcome in outcomes:
        peaks[outcome.process] = max(outcome.peak_gb, peaks.get(outcome.process, 0.0))
    memory = f", at most {sum(peaks.values()):.1f} GB" if any(peaks.values()) else ""
    return f"The run took {wall_s:,.0f} s, and the rules {seconds:,.0f} s of CPU time{memory}"


def _load_now() -> str:
    if not hasattr(os, "getloadavg"):
        return "The machine's load is not known"
    load, cores = os.getloadavg()[1], os.cpu_count() or 1
    return f"Load of the machine over five minutes: {load:.1f} on {count(cores, 'core')}"


def _drawer(plot: Path | None) -> Callable[[Mapping[str, Outcome], str], None]:
    """Return what draws the outcomes to `plot`; raise now what would stop it later."""
    if plot is None:
        return lambda outcomes, title: None
    try:
        from radixlab.viz.routes import RouteCurves, draw_routes
    except ImportError as error:
        raise PictureError(f"no picture: {what_to_install(error) or error}") from None
    require_writable(plot)

    def draw(outcomes: Mapping[str, Outcome], title: str) -> None:
        curves = {
            rule: RouteCurves(o.hit_rate, o.requests_by_replica, o.wait_s)
            for rule, o in outcomes.items()
        }
        draw_routes(curves, title).savefig(plot)

    return draw
