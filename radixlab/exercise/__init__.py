"""What exercise texts hand to the learner: types and protocols, one module per exercise.

Plain Python and nothing else, so that it can be imported where a submission runs, which has no
other part of the package.
"""
