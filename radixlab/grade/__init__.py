"""Grading the exercises: what is checked, by which rule, and what a failing check teaches.

A submission is source text. It runs in a process of its own and can only *answer questions*; the
checks, the oracles and the points live in another one (the judge), out of its reach.
"""

from radixlab.grade.items import Check, Exercise, Failed, Item, Trial

__all__ = ["Check", "Exercise", "Failed", "Item", "Trial"]


def load_ipython_extension(shell: object) -> None:
    """Offer `%%exercise`, `grade_here`, `hint` and `picture` in a notebook."""
    from radixlab.grade.magic import load

    load(shell)
