"""Exercise 8.5.4: a custom eviction policy, on traces that it has not seen.

The learner's policy never touches the engine. It hears plain tuples and names node ids; the judge
runs the real manager on its own side, and every victim is looked over there.
"""

from radixlab.grade.ex4.items import EXERCISE
from radixlab.grade.ex4.trying import evicted, in_engine, try_on

__all__ = ["EXERCISE", "evicted", "in_engine", "try_on"]
