"""The exercises that there are."""

from radixlab.grade.ex1 import EXERCISE as EX1
from radixlab.grade.ex2 import EXERCISE as EX2
from radixlab.grade.ex3 import EXERCISE as EX3
from radixlab.grade.ex4 import EXERCISE as EX4
from radixlab.grade.ex5 import EXERCISE as EX5
from radixlab.grade.items import Exercise

EXERCISES: dict[str, Exercise] = {exercise.id: exercise for exercise in (EX1, EX2, EX3, EX4, EX5)}
"""By id, in the order of the course."""
