"""Whose tokens are computed next, so that the cache is hit most and nobody waits for ever.

Read `order.py` for who goes next, `computing.py` for why equal prompts are computed once, and
`scheduler.py` for the step. No torch here.
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
