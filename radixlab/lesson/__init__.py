"""The functions that notebooks call: to show the engine's source, and to guess before running.

This package knows the learner's folder and the notebook's front end. It does not know the cache.
"""

import sys

from radixlab.lesson.course_map import course_map
from radixlab.lesson.exercises import exercise, progress
from radixlab.lesson.express import express
from radixlab.lesson.live import shown
from radixlab.lesson.question import predict, reveal
from radixlab.lesson.slowly import pause
from radixlab.lesson.source import excerpt, show
from radixlab.lesson.tasks import attempt
from radixlab.lesson.tokens import decode, encode
from radixlab.lesson.why_view import why

__all__ = [
    "attempt",
    "course_map",
    "decode",
    "encode",
    "excerpt",
    "exercise",
    "express",
    "pause",
    "predict",
    "progress",
    "reveal",
    "show",
    "shown",
    "why",
]

if "IPython" in sys.modules:  # in a notebook: its cells are guarded from here on
    from radixlab.lesson.kernel import install_here

    install_here()
