"""Mutants of every right solution, and how many of them the grader kills: `make zoo`.

`kinds` says where a source can be broken, `choose` picks mutants evenly, `child` runs one of them
through the checks in a process of its own, `results` keeps what came of it, and `__main__` is the
command.
"""
