"""The process in which a submission runs, and the conversation with it.

The judge keeps checks, oracles and points; the box holds the learner's code and nothing else, and
can only answer questions. Whatever the code prints, patches or kills, it does to itself.

- `wire`     values as bytes
- `peer`     calls in both directions
- `inside`   the program that runs in the box
- `fence`    what the kernel keeps it from
- `process`  starting it, its limits, and its end
"""

from radixlab.grade.box.peer import BoxClosed, LearnerError, Remote
from radixlab.grade.box.process import Box, BoxError, BoxTimeout, Place

__all__ = ["Box", "BoxClosed", "BoxError", "BoxTimeout", "LearnerError", "Place", "Remote"]
