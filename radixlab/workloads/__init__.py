"""Traffic for the cache: read from a production trace or drawn from a seed, and its replay.

`open_workload` takes what a person types (a file or a generator's name); `replay` runs it through a
manager.
"""

from radixlab.workloads.doubts import TraceError, TraceRecord, TraceWarning
from radixlab.workloads.generators import GENERATORS, Generator
from radixlab.workloads.mooncake import (
    conversation_trace,
    expand,
    read_records,
    read_requests,
)
from radixlab.workloads.replay import Manager, ReplayResult, make_manager, manager_names, replay
from radixlab.workloads.request import Request
from radixlab.workloads.source import UnknownWorkloadError, Workload, open_workload
from radixlab.workloads.summary import WorkloadSummary, summarize

__all__ = [
    "GENERATORS",
    "Generator",
    "Manager",
    "ReplayResult",
    "Request",
    "TraceError",
    "TraceRecord",
    "TraceWarning",
    "UnknownWorkloadError",
    "Workload",
    "WorkloadSummary",
    "conversation_trace",
    "expand",
    "make_manager",
    "manager_names",
    "open_workload",
    "read_records",
    "read_requests",
    "replay",
    "summarize",
]
