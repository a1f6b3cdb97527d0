"""The process in which a submission runs, and the conversation with it.

The judge keeps checks, oracles and points; the box holds the learner's code and nothing else, and
can only answer questions. Whatever the code prints, patches or kills, it does to itself.

- `wire`     values as bytes
- `visible`  text that is safe to show
- `peer`     calls in both directions
- `boot`     what its Python can import and may read
- `inside`   the program that runs in the box
- `fence`    what the kernel keeps it from: files, and the system calls that are not in `calls`
- `bpf`      the assembler in which `calls` writes its filter
- `folder`   the only folder in which it may write
- `usage`    what it has used, as the system counts it
- `watch`    what the judge observes of it, and why it is ended
- `process`  starting it, and its end
"""

from radixlab.grade.box.fence import missing_fence
from radixlab.grade.box.peer import BoxClosed, LearnerError, Remote
from radixlab.grade.box.process import Box, BoxError
from radixlab.grade.box.visible import visible
from radixlab.grade.box.watch import BoxEnded, BoxTimeout, Place

__all__ = [
    "Box",
    "BoxClosed",
    "BoxEnded",
    "BoxError",
    "BoxTimeout",
    "LearnerError",
    "Place",
    "Remote",
    "missing_fence",
    "visible",
]
