"""Exercise 8.5.1: a radix tree of whole blocks. `items` lists the rules.

Every check plays scenarios (`drawn`) on the learner's tree and on a model, and shows the smallest
one on which they differ.
"""

from radixlab.grade.ex1.items import EXERCISE

__all__ = ["EXERCISE"]
