"""Lesson 03's autopsy: eight broken engines, the traffic they are tried on, and the evidence.

This package knows the engine from outside, and eight mistakes. The lesson shows their source last.
"""

from radixlab.lesson.props.autopsy.traffic import SCRIPT, Scene, Step
from radixlab.lesson.props.autopsy.trial import (
    CASES,
    Evidence,
    convictions,
    culprit,
    investigate,
    line_up,
    suspect,
    truth,
)

__all__ = [
    "CASES",
    "SCRIPT",
    "Evidence",
    "Scene",
    "Step",
    "convictions",
    "culprit",
    "investigate",
    "line_up",
    "suspect",
    "truth",
]
