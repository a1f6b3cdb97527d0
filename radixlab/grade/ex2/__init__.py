"""Exercise 8.5.2: benchmark copy-on-write. `items` lists the rules, `audit` checks the samples.

`PaperMachine` and `EngineMachine` are what learners try their benchmark on.
"""

from radixlab.grade.ex2.engine import EngineMachine
from radixlab.grade.ex2.items import EXERCISE
from radixlab.grade.ex2.paper import PaperMachine

__all__ = ["EXERCISE", "EngineMachine", "PaperMachine"]
