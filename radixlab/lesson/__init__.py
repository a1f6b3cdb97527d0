"""What notebooks call: read the engine's source in place, and guess before running.

Knows the learner's folder and the notebook's front end; knows nothing of the cache itself.
"""

from radixlab.lesson.pace import pause
from radixlab.lesson.question import predict, reveal
from radixlab.lesson.source import show
from radixlab.lesson.tokens import decode, encode

__all__ = ["decode", "encode", "pause", "predict", "reveal", "show"]
