"""`radixlab load`: a workload against a running server, with a ledger and percentiles."""

import asyncio
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from radixlab.cli.shared import AT_LEAST_ONE, OneOf, OutputFile, examples, exit_with, progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from radixlab.load import Ledger, LoadReport, Plan, Reconciliation
    from radixlab.load.run import Ended
    from radixlab.observe.monitor import Monitor
    from radixlab.observe.monitor.reading import Reading
    from radixlab.workloads import Workload

ABOVE_ZERO = click.FloatRange(min=0, min_open=True)
SETTLE_S = 5.0
"""How long the server may take to give up what was aborted, before its counters are compared."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which server, and how prompts are sent."""

    url: str
    api_key: str | None
    model: str | None
    prompts: Literal["auto", "ids", "text"]
    vocab_size: int | None
    ignore_eos: bool
    timeout_s: float


@click.command(
    epilog=examples(
        "radixlab load localhost:8000 --workload multi-turn-chat --rate 5 --limit 200",
        "radixlab load localhost:8000 --workload document-qa --concurrency 8 --max-tokens 32",
        "radixlab load gpu-7:8000 --workload conversation_trace.jsonl --speed-up 10 \\",
        "    --ledger run.jsonl --slo-ttft 0.5 --slo-itl 0.05 --plot run.png",
        "radixlab load localhost:8000 --workload agent --rate 2 --shrink 8 --check-metrics",
    )
)
@click.argument("url")
@click.option(
    "--workload", "source", required=True, metavar="NAME|FILE",
    help="A generator or a trace file, as `radixlab replay` takes it.",
)  # fmt: skip
@click.option("--limit", type=AT_LEAST_ONE, help="First N requests only.  [default: all; a "
    "generator makes 1000]")  # fmt: skip
@click.option("--rate", type=ABOVE_ZERO, help="Open loop: requests a second, at random times.")
@click.option(
    "--speed-up", type=ABOVE_ZERO, default=1.0, show_default=True,
    help="Open loop at the times of the trace: how many times faster.",
)  # fmt: skip
@click.option(
    "--concurrency", type=AT_LEAST_ONE,
    help="Closed loop: this many clients, each of which asks again after its answer.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0),
    help="Seed of the random times and of a generator.  [default: 0]",
)  # fmt: skip
@click.option("--max-tokens", type=AT_LEAST_ONE, help="Most tokens of an answer.  [default: the "
    "workload's]")  # fmt: skip
@click.option(
    "--shrink", type=AT_LEAST_ONE, default=1, show_default=True,
    help="Send only every N-th token: prompts and answers become shorter, and share the same part.",
)  # fmt: skip
@click.option("--stop-after", type=ABOVE_ZERO, help="End after this many seconds; requests that "
    "still run are aborted.")  # fmt: skip
@click.option(
    "--timeout", "timeout_s", type=ABOVE_ZERO, default=600.0, show_default=True,
    help="A request has failed when the server sends nothing for this many seconds.",
)  # fmt: skip
@click.option("--slo-ttft", type=ABOVE_ZERO, help="A good answer begins within this many seconds.")
@click.option("--slo-itl", type=ABOVE_ZERO, help="A good answer takes at most this many seconds "
    "for each later token, on average.")  # fmt: skip
@click.option("--ledger", "ledger_path", type=OutputFile(".jsonl"), help="Write a JSON line for "
    "each request, when it is over (.jsonl).")  # fmt: skip
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--csv", "csv_path", type=OutputFile(".csv"), help="Write the requests as CSV.")
@click.option(
    "--plot", "plot_path", type=OutputFile(".png", ".svg", ".pdf"),
    help="Draw latencies, and the cached share by turn (.png, .svg or .pdf).",
)  # fmt: skip
@click.option("--check-metrics", is_flag=True, help="Compare the server's counters with the "
    "ledger; nobody else may use the server meanwhile.")  # fmt: skip
@click.option("--model", help="The model's name.  [default: the server's first]")
@click.option(
    "--prompts", type=OneOf(["auto", "ids", "text"]), default="auto", show_default=True,
    help="Send token ids or text; auto sends ids if --vocab-size is given, and else tries them.",
)  # fmt: skip
@click.option("--vocab-size", type=AT_LEAST_ONE, help="Token ids are taken modulo this.  [default: "
    "the largest that the server takes of 128000, 32000, 8000 and 500]")  # fmt: skip
@click.option("--ignore-eos/--no-ignore-eos", default=True, show_default=True,
    help="Ask for answers as long as the workload's (vLLM's field ignore_eos).")  # fmt: skip
@click.option(
    "--api-key", envvar="RADIXLAB_API_KEY",
    help="The server's key, or the operator's for --check-metrics where there is one; "
    "RADIXLAB_API_KEY may hold it too.",
)  # fmt: skip
@click.pass_context
def load(
    context: click.Context,
    url: str,
    source: str,
    limit: int | None,
    rate: float | None,
    speed_up: float,
    concurrency: int | None,
    seed: int | None,
    max_tokens: int | None,
    shrink: int,
    stop_after: float | None,
    timeout_s: float,
    slo_ttft: float | None,
    slo_itl: float | None,
    ledger_path: Path | None,
    is_json: bool,
    csv_path: Path | None,
    plot_path: Path | None,
    check_metrics: bool,
    model: str | None,
    prompts: Literal["auto", "ids", "text"],
    vocab_size: int | None,
    ignore_eos: bool,
    api_key: str | None,
) -> None:
    """Send a workload's requests to the server at URL, and measure the answers.

    Any server with OpenAI's API will do: radixlab, vLLM or SGLang. Requests come at the times of
    the trace, at random times (--rate), or from a number of clients (--concurrency); a turn of a
    conversation is sent when the turn before it is over. The prompts are the workload's own: a
    later turn contains the workload's answers, not the server's.

    Ctrl-C ends the run: requests that still run are aborted, and the report covers the others.
    """
    from radixlab.load import Ledger, Plan, report
    from radixlab.load.report import Objective

    plan = Plan(concurrency, rate, speed_up, seed or 0, max_tokens, shrink)
    _refuse_what_has_no_effect(source, seed, rate, prompts, vocab_size)
    target = Target(url, api_key, model, prompts, vocab_size, ignore_eos, timeout_s)
    workload = _open(source, limit, seed or 0)
    _check_times(plan, workload)
    draw = _drawer(plot_path)
    ledger = Ledger(ledger_path)
    try:
        ended, checked = asyncio.run(
            _run(target, plan, workload, ledger, stop_after, check_metrics)
        )
    finally:
        ledger.close()
    result = report(ledger, ended, workload.num_requests, Objective(slo_ttft, slo_itl))
    _show(result, checked, is_json)
    if csv_path:
        from radixlab.load.table import write_csv

        write_csv(csv_path, ledger)
    draw(ledger, result)
    if ended.was_interrupted:
        exit_with("interrupted", 130)
    context.exit(1 if checked and not checked.agrees else 0)


def _refuse_what_has_no_effect(
    source: str, seed: int | None, rate: float | None, prompts: str, vocab_size: int | None
) -> None:
    from radixlab.workloads import GENERATORS

    if seed is not None and rate is None and source not in GENERATORS:
        raise click.UsageError("--seed has no effect: a trace's own times and prompts are fixed")
    if vocab_size is not None and prompts == "text":
        raise click.UsageError("--vocab-size has no effect with --prompts text")


async def _run(
    target: Target,
    plan: "Plan",
    workload: "Workload",
    ledger: "Ledger",
    stop_after: float | None,
    check_metrics: bool,
) -> "tuple[Ended, Reconciliation | None]":
    from openai import AsyncOpenAI

    from radixlab.load import api_url, connect, reconcile, run
    from radixlab.observe.monitor import Monitor

    as_text = {"auto": None, "ids": False, "text": True}[target.prompts]
    async with AsyncOpenAI(
        base_url=api_url(target.url),
        api_key=target.api_key or "none",
        max_retries=0,
        timeout=target.timeout_s,
    ) as api:
        client = await connect(
            api,
            target.model,
            as_text=as_text,
            vocab_size=target.vocab_size,
            ignore_eos=target.ignore_eos,
        )
        click.echo(f"note: {client.sends}", err=True)
        monitor = Monitor(target.url, api_key=target.api_key) if check_metrics else None
        before = await _settled(monitor) if monitor else None
        with progress(workload.num_requests, "load", "request") as advance:
            ended = await run(
                client,
                plan,
                workload.requests(),
                ledger,
                stop_after_s=stop_after,
                on_line=lambda line: advance(),
            )
        if monitor is None or before is None:
            return ended, None
        return ended, reconcile(before, await _settled(monitor), ledger)


async def _settled(monitor: "Monitor") -> "Reading":
    """Read the server's metrics when nothing runs there any more, or after `SETTLE_S`."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        figures = monitor.look().figures
        if (figures.running, figures.waiting) == (0, 0) or time.monotonic() > deadline:
            return monitor.window.latest
        await asyncio.sleep(0.1)


def _open(source: str, limit: int | None, seed: int) -> "Workload":
    from radixlab.workloads import TraceWarning, open_workload

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TraceWarning)
        workload = open_workload(source, limit, seed)
    for note in workload.notes:
        click.echo(f"note: {note}", err=True)
    return workload


def _check_times(plan: "Plan", workload: "Workload") -> None:
    """Fail before anything is sent if the workload has no times and none were given."""
    next(iter(plan.requests(workload.requests())))


def _drawer(path: Path | None) -> "Callable[[Ledger, LoadReport], None]":
    """Return what draws the picture at the end; fail now if it cannot be drawn."""
    if path is None:
        return lambda ledger, result: None
    from radixlab.viz.load_plot import draw_load

    return lambda ledger, result: draw_load(ledger, result).savefig(path)


def _show(result: "LoadReport", checked: "Reconciliation | None", is_json: bool) -> None:
    from radixlab.load.table import checked_text, text

    if is_json:
        more = {"metrics": checked.as_json()} if checked else {}
        click.echo(json.dumps(result.as_json() | more, allow_nan=False))
        return
    click.echo(text(result))
    if checked:
        click.echo(f"\n{checked_text(checked)}")
