"""The report of `radixlab replay --summary`: what a workload is, at one block size or several.

It knows summaries of one workload. It runs no cache.
"""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from radixlab.bench.report import text_table
from radixlab.workloads import Workload, WorkloadSummary
from radixlab.workloads.summary import QUANTILES

HEADER = [
    *("block\nsize", "blocks\nstored", "distinct\nblocks", "shared\nshare"),
    *("reuse\ndistance\nmedian", "90%", "99%", "longest"),
]
WHAT_IT_SAYS = (
    "distinct blocks: the working set, which is what an endless pool holds at the end.",
    "shared share: the prompt tokens that an endless pool finds; no policy finds more.",
    "reuse distance, in blocks: how many LRU must keep for a block to be found again; half of all "
    "blocks that are found again are within the median.",
)


@dataclass(frozen=True, slots=True)
class SummaryReport:
    """One workload, summarised once for each block size."""

    workload: Workload
    summaries: Sequence[WorkloadSummary]

    def text(self, width: int = 80) -> str:
        """Format for a terminal or a notebook."""
        of, first = self.workload, self.summaries[0]
        sessions = "not known" if first.num_sessions is None else f"{first.num_sessions:,}"
        lines = [
            f"{of.num_requests:,} requests of {of.name}, sessions: {sessions}",
            f"{first.prompt_tokens:,} prompt tokens, {first.output_tokens:,} output tokens",
        ]
        if of.num_contradictions:
            lines.append(f"contradictions in the trace: {of.num_contradictions:,} lines")
        table = text_table(HEADER, [_cells(summary) for summary in self.summaries])
        says = "\n".join(textwrap.fill(line, width) for line in WHAT_IT_SAYS)
        return "\n\n".join(["\n".join(lines), table, says])

    def as_json(self) -> str:
        """Format one JSON object, one line."""
        of, first = self.workload, self.summaries[0]
        return json.dumps(
            {
                "trace": of.name,
                "requests": of.num_requests,
                "contradictions": of.num_contradictions,
                "sessions": first.num_sessions,
                "prompt_tokens": first.prompt_tokens,
                "output_tokens": first.output_tokens,
                "block_sizes": [_fields(summary) for summary in self.summaries],
            }
        )


def _cells(summary: WorkloadSummary) -> list[str]:
    distances = [summary.quantile(share) for share in QUANTILES]
    return [
        f"{summary.block_size:,}",
        f"{summary.stored_blocks:,}",
        f"{summary.distinct_blocks:,}",
        f"{summary.shared_share:.6f}",
        *("-" if distance is None else f"{distance:,}" for distance in distances),
    ]


def _fields(summary: WorkloadSummary) -> dict[str, object]:
    median, p90, p99, longest = (summary.quantile(share) for share in QUANTILES)
    return {
        "block_size": summary.block_size,
        "stored_blocks": summary.stored_blocks,
        "distinct_blocks": summary.distinct_blocks,
        "shared_share": summary.shared_share,
        "reuse_distance": {"p50": median, "p90": p90, "p99": p99, "max": longest},
    }
