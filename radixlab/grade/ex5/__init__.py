"""Exercise 8.5.5: a server deployed, accounted for, watched, guarded by alerts and diagnosed.

The learner's code gets text and callables, and returns plain data. Servers and load are on the
judge's side: an engine without a model in the laboratory, and a real server on loopback. `items`
lists the rules; `launching`, `accounting`, `monitoring`, `alerts` and `naming` hold the checks.
"""

from radixlab.grade.ex5.items import EXERCISE
from radixlab.grade.ex5.traffic import Start
from radixlab.grade.ex5.trying import (
    open_case,
    open_series,
    open_site,
    right_figures,
    try_deploy,
    try_diagnose,
    try_ledger,
    try_rules,
)

__all__ = [
    "EXERCISE",
    "Start",
    "open_case",
    "open_series",
    "open_site",
    "right_figures",
    "try_deploy",
    "try_diagnose",
    "try_ledger",
    "try_rules",
]
