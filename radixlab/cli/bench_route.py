"""`radixlab bench route`: the wind tunnel for routers, with what a simulated replica is like."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from radixlab.bench.pictures import require_writable
from radixlab.cli.bench_shared import JSON_TABLES, WRITE_RESULTS, given, show
from radixlab.cli.shared import AT_LEAST_ONE, OutputFile, examples, progress

if TYPE_CHECKING:
    from radixlab.route.wind import ReplicaModel

ABOVE_ZERO = click.FloatRange(min=0, min_open=True)
AT_LEAST_ZERO = click.FloatRange(min=0)
_RULES = """\b
Rules:
  round-robin   the replicas by turns
  power-of-two  of two replicas drawn at random, the one with less to do
  session-hash  the same replica for a whole session
  ray-affinity  Ray's prefix-aware router
  cache-aware   vllm-router's and sglang-router's: the longest routed prefix
  dynamo        Dynamo's: KV events, and the blocks that are computed and in use
  ours-prompts  the longest routed prefix, and the loads
  ours-events   the longest cached prefix by KV events, and the loads

"""


@click.command(
    "route",
    epilog=_RULES
    + examples(
        "radixlab bench route",
        "radixlab bench route --replicas 64 --rules session-hash,ours-events --plot route.png",
        "radixlab bench route --replicas 1000 --requests 1000000 --write benchmarks/RESULTS.md",
    ),
)
@click.option(
    "--traffic",
    metavar="NAME",
    help="conversation, nothing-shared, one-hot-prefix, a generator of `radixlab replay`, or a "
    "trace file.  [default: conversation; multi-turn-chat where that trace is missing]",
)
@click.option(
    "--replicas",
    type=AT_LEAST_ONE,
    default=16,
    show_default=True,
    help="Simulated engines, each with a cache of its own.",
)
@click.option(
    "--requests",
    type=AT_LEAST_ONE,
    default=12_000,
    show_default=True,
    help="Requests for each rule; a trace is repeated with fresh sessions.",
)
@click.option(
    "--rules",
    metavar="LIST",
    help="The rules to run, as names with commas.  [default: all eight, see below]",
)
@click.option(
    "--load",
    type=click.FloatRange(min=0, max=100, min_open=True),
    help="Pace of the traffic: prompt work that arrives, as a share of what the replicas can "
    "compute.  [default: the trace's own clock; 0.5 where there is none]",
)
@click.option(
    "--cache-tokens",
    type=AT_LEAST_ONE,
    help="Tokens that fit into the cache of a replica.  [default: 488000]",
)
@click.option(
    "--prefill",
    type=ABOVE_ZERO,
    help="Prompt tokens that a replica computes a second.  [default: 7000]",
)
@click.option(
    "--decode-ms", type=AT_LEAST_ZERO, help="Milliseconds for a token of an answer.  [default: 25]"
)
@click.option(
    "--slots", type=AT_LEAST_ONE, help="Most requests that run on a replica.  [default: 32]"
)
@click.option(
    "--event-delay-ms",
    type=AT_LEAST_ZERO,
    help="Milliseconds until a router hears of a KV event.  [default: 100]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the traffic, and of rules that choose at random.",
)
@click.option(
    "--jobs",
    type=AT_LEAST_ONE,
    help="Processes that run rules side by side.  [default: 2 if there is much to do]",
)
@click.option(
    "--controls/--no-controls",
    default=True,
    help="Also run nothing-shared and one-hot-prefix, for comparison.",
)
@click.option(
    "--plot",
    type=OutputFile(".png", ".svg", ".pdf"),
    help="Draw hit rate, balance and waits by rule, into this file.",
)
@JSON_TABLES
@WRITE_RESULTS
def bench_route(
    traffic: str | None,
    replicas: int,
    requests: int,
    rules: str | None,
    load: float | None,
    seed: int,
    jobs: int | None,
    controls: bool,
    plot: Path | None,
    is_json: bool,
    results: Path | None,
    **replica: float | None,
) -> None:
    """Measure routers in simulated time: hit rate, balance and waits of eight rules."""
    from radixlab.bench.route import Trial, check_rules, default_traffic
    from radixlab.bench.route_report import measure_route
    from radixlab.route.rules import RULES

    names = list(RULES) if rules is None else check_rules(rules)
    trial = Trial(
        default_traffic() if traffic is None else traffic,
        requests,
        replicas,
        _replica_model(**replica),
        load,
        seed,
    )
    options = given(
        traffic=traffic, replicas=replicas if replicas != 16 else None,
        requests=requests if requests != 12_000 else None, rules=rules, load=load,
        **replica, seed=seed or None, no_controls=None if controls else True,
    )  # fmt: skip
    command = " ".join(["radixlab bench route", *options])
    if results:
        require_writable(results)
    report = measure_route(command, trial, names, progress, jobs, controls, plot, results)
    show("bench route", report, is_json, results)


def _replica_model(
    cache_tokens: float | None,
    prefill: float | None,
    decode_ms: float | None,
    slots: float | None,
    event_delay_ms: float | None,
) -> "ReplicaModel":
    """Return a replica with what was given, and the defaults for the rest."""
    from radixlab.route.wind import ReplicaModel

    said = {
        "cache_tokens": cache_tokens,
        "prefill_tokens_per_s": prefill,
        "decode_s_per_token": None if decode_ms is None else decode_ms / 1000,
        "num_slots": slots,
        "event_delay_s": None if event_delay_ms is None else event_delay_ms / 1000,
    }
    return ReplicaModel(**{name: value for name, value in said.items() if value is not None})  # type: ignore[arg-type]  # counts are ints: click has read them
