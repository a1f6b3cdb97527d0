"""Lesson 06's machinery: a toy layer, pictures of plans and roofs, kernels in a child process.

Needs torch, like `radixlab.attention`.
"""

from radixlab.lesson.props.paged.batch import five_requests, used_pool
from radixlab.lesson.props.paged.kernels import on_h200, run_kernel
from radixlab.lesson.props.paged.measured import as_points, plan_times_us
from radixlab.lesson.props.paged.plans import plot_plan, plot_prefill
from radixlab.lesson.props.paged.roofline import Attained, plot_roofline, ridge
from radixlab.lesson.props.paged.spoiled import plot_spoiled
from radixlab.lesson.props.paged.toy import ToyLayer, agree

__all__ = [
    "Attained",
    "ToyLayer",
    "agree",
    "as_points",
    "five_requests",
    "on_h200",
    "plan_times_us",
    "plot_plan",
    "plot_prefill",
    "plot_roofline",
    "plot_spoiled",
    "ridge",
    "run_kernel",
    "used_pool",
]
