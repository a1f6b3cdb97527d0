"""The exercises that there are."""

from radixlab.grade.ex2 import EXERCISE as EX2
from radixlab.grade.ex4 import EXERCISE as EX4
from radixlab.grade.items import Exercise

EXERCISES: dict[str, Exercise] = {exercise.id: exercise for exercise in (EX2, EX4)}
"""By id, in the order of the course."""
