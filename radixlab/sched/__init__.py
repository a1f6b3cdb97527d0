"""Which requests are computed next, so that the cache is hit most and no request starves.

Read `order.py` for the order of waiting requests, `computing.py` for why equal prompts are computed
once, and `scheduler.py` for the step. This package does not need torch.
"""

from radixlab.config import SchedulerConfig
from radixlab.sched.errors import (
    ArgumentError,
    OrderError,
    ReentryError,
    RequestError,
    RequestTooLargeError,
    SchedulerError,
    ThreadError,
)
from radixlab.sched.order import (
    ORDERS,
    Waiting,
    depth_first_weight,
    first_come,
    longest_prefix_first,
    with_ageing,
)
from radixlab.sched.request import FinishReason, Request
from radixlab.sched.scheduler import Batch, Scheduler

__all__ = [
    "ORDERS",
    "ArgumentError",
    "Batch",
    "FinishReason",
    "OrderError",
    "ReentryError",
    "Request",
    "RequestError",
    "RequestTooLargeError",
    "Scheduler",
    "SchedulerConfig",
    "SchedulerError",
    "ThreadError",
    "Waiting",
    "depth_first_weight",
    "first_come",
    "longest_prefix_first",
    "with_ageing",
]
