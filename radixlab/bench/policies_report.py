"""The report of `radixlab bench policies`: who closes how much of the gap, and who falls behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radixlab.bench.goals import Goal
from radixlab.bench.measure import machine
from radixlab.bench.policies import (
    END,
    FIRST_SEED,
    LEAST_GAP,
    POOLS,
    RIVALS,
    START,
    TRACE_POOLS,
    WITHOUT_PRIORITIES,
    Standing,
    race_seeds,
    race_trace,
)
from radixlab.bench.report import count, machine_line, markdown_table, text_table
from radixlab.bench.tree_report import Progress
from radixlab.workloads import conversation_trace

HERO = "adaptive"
SCAN, CHAT = "scan-polluted", "multi-turn-chat"
LEAST_OVER_LRU_GOAL = Goal("≥", -1)
"""Of `adaptive` on chats, on every seed, in percentage points of token hit rate.

Elsewhere its worst difference is shown, and nothing is promised.
"""
SCAN_GOAL = Goal("≥", 0.5)
"""Least share of the gap that `adaptive` closes on scans, in every pool with a gap."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


@dataclass(frozen=True, slots=True)
class PoliciesReport:
    """Everything one run of the benchmark found."""

    command: str
    num_requests: int
    num_seeds: int
    standings: list[Standing]
    policies: Sequence[str] = RIVALS

    def text(self) -> str:
        """Format for a terminal."""
        return "\n\n".join(self._parts(text_table))

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""
        head = f"## Eviction policies\n\n`{self.command}` on {machine_line()}."
        return "\n\n".join([head, *self._parts(markdown_table)])

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "machine": machine(),
            "command": self.command,
            "requests": self.num_requests,
            "seeds": self.num_seeds,
            "rows": [self._row_json(standing) for standing in self.standings],
        }

    def _parts(self, table: Table) -> list[str]:
        seeds = f"{count(self.num_seeds, 'seed')} from {FIRST_SEED}"
        return [
            f"{self.num_requests:,} requests of each generator, {seeds}; policies were tuned on "
            f"others. Share of the gap closed, (policy - {START}) ÷ ({END} - {START}) of the mean "
            f"token hit rates; a dash where the gap is below {LEAST_GAP:.0%}. "
            f"`{WITHOUT_PRIORITIES}` is not raced: no request sets one, and then it is {START}",
            table(*self._closed_table()),
            f"The worst seed's difference to {START}, in points of token hit rate",
            table(*self._least_table()),
            *([table(*self._goals_table())] if HERO in self.policies else []),
        ]

    def _closed_table(self) -> tuple[list[str], list[list[str]]]:
        header = ["workload", "blocks", f"{START} hit rate", f"{END} hit rate", *self.policies]
        return header, [
            [
                *_where(standing),
                f"{standing.rate(START):.3f}",
                f"{standing.rate(END):.3f}",
                *(_share(standing.gap_closed(policy)) for policy in self.policies),
            ]
            for standing in self.standings
        ]

    def _least_table(self) -> tuple[list[str], list[list[str]]]:
        return ["workload", "blocks", *self.policies], [
            [*_where(standing), *(_points(standing.least_over_lru(p)) for p in self.policies)]
            for standing in self.standings
        ]

    def _goals_table(self) -> tuple[list[str], list[list[str]]]:
        over = [(s.workload == CHAT, s.least_over_lru(HERO)) for s in self.standings]
        chat = min((least for is_chat, least in over if is_chat), default=None)
        rest = min((least for is_chat, least in over if not is_chat), default=None)
        closed = [s.gap_closed(HERO) for s in self.standings if s.workload == SCAN]
        least = min((share for share in closed if share is not None), default=None)
        return [HERO, "measured", "goal"], [
            [
                f"worst difference to {START} on {CHAT}",
                _points(chat),
                _judge(LEAST_OVER_LRU_GOAL, None if chat is None else 100 * chat, self.num_seeds),
            ],
            [f"worst difference to {START} elsewhere", _points(rest), ""],
            [
                f"least gap closed on {SCAN}",
                _share(least),
                _judge(SCAN_GOAL, least, self.num_seeds),
            ],
        ]

    def _row_json(self, standing: Standing) -> dict[str, object]:
        names = (START, *self.policies, END)
        return {
            "trace": standing.workload,
            "num_blocks": standing.num_blocks,
            "token_hit_rate": {name: standing.rate(name) for name in names},
            "gap_closed": {name: standing.gap_closed(name) for name in self.policies},
            "least_over_lru": {name: standing.least_over_lru(name) for name in self.policies},
        }


def measure_policies(
    command: str, seeds: int | None, quick: bool, progress: Progress
) -> PoliciesReport:
    """Run the benchmark; `command` is what the report will say it was."""
    num_seeds = seeds or (1 if quick else 5)
    num_requests = 200 if quick else 1000
    trace_pools = 0 if quick or conversation_trace() is None else len(TRACE_POOLS)
    num_races = num_seeds * sum(map(len, POOLS.values())) + trace_pools
    standings: list[Standing] = []
    with progress(num_races * (len(RIVALS) + 2), "policies", "replay") as advance:
        for name, pools in POOLS.items():
            numbers = range(FIRST_SEED, FIRST_SEED + num_seeds)
            standings += race_seeds(name, pools, numbers, num_requests, progress=advance)
        if trace_pools:
            standings += race_trace(2 * num_requests, progress=advance)
    return PoliciesReport(command, num_requests, num_seeds, standings)


def _where(standing: Standing) -> list[str]:
    return [standing.workload, f"{standing.num_blocks:,}"]


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"


def _points(difference: float | None) -> str:
    return "-" if difference is None else f"{100 * difference:+.2f}"


def _judge(goal: Goal, figure: float | None, num_seeds: int) -> str:
    return "-" if figure is None else goal.judge(figure, num_seeds)
