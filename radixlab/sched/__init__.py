"""Which waiting request goes next: orders that make the most of the cache.

So far pure functions over what a look-up found; the scheduler that calls them comes with the model.
"""

from radixlab.sched.order import (
    Waiting,
    depth_first_weight,
    first_come,
    longest_prefix_first,
    with_ageing,
)

__all__ = ["Waiting", "depth_first_weight", "first_come", "longest_prefix_first", "with_ageing"]
