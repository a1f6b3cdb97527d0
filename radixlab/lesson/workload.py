"""What a workload asks of a cache, for notebooks: the summary in words, and LRU's curve.

This file knows how to show a summary; `radixlab.workloads` makes it.
"""

from radixlab.bench.summary_report import SummaryReport
from radixlab.lesson.picture import Picture
from radixlab.viz.reuse import draw_reuse
from radixlab.workloads import Workload, open_workload, summarize


def describe(
    source: str | Workload, num_requests: int | None = None, seed: int = 0, block_size: int = 16
) -> Picture:
    """Print the summary of a workload, and return a picture of what LRU finds in any pool.

    `source` is a generator's name, a trace file, or a workload that is open already.
    """
    workload = source if isinstance(source, Workload) else open_workload(source, num_requests, seed)
    summary = summarize(workload.requests(), block_size)
    print(SummaryReport(workload, [summary]).text())
    title = f"{workload.num_requests:,} requests of {workload.name}, blocks of {block_size}"
    shared, median = f"{summary.shared_share:.1%}", summary.quantile(0.5)
    reuse = (
        "nothing is used again" if median is None else f"median reuse distance {median:,} blocks"
    )
    text = f"shared share {shared}, {reuse}"
    return Picture.of(draw_reuse({"endless": summary}, title), text)
