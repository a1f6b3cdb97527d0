"""Make the Grafana dashboard: `python deploy/dashboard.py` writes grafana/dashboards/cache.json.

One dashboard for radixlab, vLLM and SGLang: its queries read the series that the recording rules
(prometheus/rules.yml) give all three. The last row is radixlab's alone, because only radixlab says
why a token was not found. Needs the package grafana-foundation-sdk.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

HERE = Path(__file__).parent
FILE = HERE / "grafana" / "dashboards" / "cache.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
WHERE = '{instance=~"$instance"}'

Query = tuple[str, str]
"""A PromQL expression, and the legend of its lines."""


def with_queries(panel, queries: Iterable[Query], width: int):
    """Give a panel its queries, its width of 24 and the house's height."""
    for number, (expression, legend) in enumerate(queries):
        query = prometheus.Dataquery().expr(expression).legend_format(legend)
        panel = panel.with_target(query.ref_id(chr(ord("A") + number)).range())
    return panel.datasource(SOURCE).height(8).span(width)


def lines(title: str, unit: str, text: str, *queries: Query, stacked: bool = False):
    """Make a panel of lines over time, 12 wide."""
    panel = timeseries.Panel().title(title).description(text).unit(unit).min(0)
    if unit == "percentunit":
        panel = panel.max(1)
    if stacked:
        mode = common.StackingConfig().mode(StackingMode.NORMAL)
        panel = panel.stacking(mode).fill_opacity(40)
    return with_queries(panel, queries, 12)


def number(title: str, unit: str, text: str, query: Query):
    """Make a panel of one figure, 6 wide."""
    return with_queries(stat.Panel().title(title).description(text).unit(unit), [query], 6)


def build() -> dashboard.Dashboard:
    """Put the panels together."""
    name = "{{instance}}"
    instance = (
        dashboard.QueryVariable("instance")
        .label("server")
        .datasource(SOURCE)
        .query('label_values(up{job="engine"}, instance)')
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )
    panels = [
        dashboard.Row("Is the cache worth its memory?"),
        number(
            "Hit rate",
            "percentunit",
            "Cached prompt tokens ÷ prompt tokens, over 5 minutes.",
            (f"engine:hit_rate:rate5m{WHERE}", name),
        ),
        number(
            "Requests per second",
            "reqps",
            "Requests that ended, over 5 minutes.",
            (f"engine:requests:rate5m{WHERE}", name),
        ),
        number(
            "First token, median",
            "s",
            "The median over 5 minutes, queue included.",
            (f"engine:first_token_seconds:p50_5m{WHERE}", name),
        ),
        number(
            "Pool held by requests",
            "percentunit",
            "Blocks held by running requests ÷ all blocks; evictable blocks are not in it.",
            (f"engine:kv_usage{WHERE}", name),
        ),
        dashboard.Row("What requests feel, and what they find"),
        lines(
            "Hit rate",
            "percentunit",
            "Cached prompt tokens ÷ prompt tokens, over 5 minutes.",
            (f"engine:hit_rate:rate5m{WHERE}", name),
        ),
        lines(
            "Prompt tokens per second",
            "short",
            "Asked and cached. The distance between the lines is what the model computes.",
            (f"engine:prompt_tokens:rate5m{WHERE}", f"{name} asked"),
            (f"engine:hit_tokens:rate5m{WHERE}", f"{name} cached"),
        ),
        lines(
            "Time to the first token",
            "s",
            "Median and 95th percentile over 5 minutes, queue included.",
            (f"engine:first_token_seconds:p50_5m{WHERE}", f"{name} p50"),
            (f"engine:first_token_seconds:p95_5m{WHERE}", f"{name} p95"),
        ),
        lines(
            "Time in the queue",
            "s",
            "95th percentile over 5 minutes.",
            (f"engine:queue_seconds:p95_5m{WHERE}", f"{name} p95"),
        ),
        dashboard.Row("Is the pool large enough?"),
        lines(
            "Requests",
            "short",
            "Running and waiting.",
            (f"engine:running_requests{WHERE}", f"{name} running"),
            (f"engine:waiting_requests{WHERE}", f"{name} waiting"),
        ),
        lines(
            "Pool held by requests, and preemptions",
            "short",
            "The part of the pool held by running requests (0 to 1), and preemptions per second.",
            (f"engine:kv_usage{WHERE}", f"{name} held"),
            (f"engine:preemptions:rate5m{WHERE}", f"{name} preemptions"),
        ),
        dashboard.Row("Only radixlab: why tokens were not found"),
        lines(
            "Missed prompt tokens by reason",
            "percentunit",
            "Shares of all prompt tokens. Evicted: the pool is too small. Below a block: something "
            "near the top of the prompt changes. vLLM and SGLang publish no reason.",
            (f"engine:miss_share:rate5m{WHERE}", f"{name} {{{{reason}}}}"),
            stacked=True,
        ),
        lines(
            "Blocks by state",
            "short",
            "Free, evictable (cached, not in use), in use and in transfer; the sum is the pool.",
            (f"sum by (instance, state) (radixlab:blocks{WHERE})", f"{name} {{{{state}}}}"),
            stacked=True,
        ),
        lines(
            "Blocks allocated, reused and evicted per second",
            "short",
            "Reuse rate = reused ÷ (allocated + reused); eviction rate likewise.",
            (
                f"sum by (instance) (rate(radixlab:allocated_blocks_total{WHERE}[5m]))",
                f"{name} allocated",
            ),
            (
                f"sum by (instance) (rate(radixlab:reused_blocks_total{WHERE}[5m]))",
                f"{name} reused",
            ),
            (
                f"sum by (instance) (rate(radixlab:evicted_blocks_total{WHERE}[5m]))",
                f"{name} evicted",
            ),
        ),
        lines(
            "Blocks that a prompt finds",
            "short",
            "The mean over 5 minutes.",
            (f"engine:match_blocks:mean5m{WHERE}", name),
        ),
    ]
    board = (
        dashboard.Dashboard("Prefix cache")
        .uid("prefix-cache")
        .tags(["kv-cache"])
        .description("radixlab, vLLM and SGLang on the same panels; made by deploy/dashboard.py.")
        .time("now-1h", "now")
        .refresh("10s")
        .with_variable(instance)
    )
    for panel in panels:
        board = (
            board.with_row(panel) if isinstance(panel, dashboard.Row) else board.with_panel(panel)
        )
    return board.build()


def text() -> str:
    """Return the dashboard as the file holds it."""
    return json.dumps(build(), cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(f"{FILE}: {len(json.loads(text())['panels'])} panels")
