"""Exercise 8.5.3: a plan for a workload, on traffic that it has not seen.

The learner's code sees a workload and answers with plain numbers; the judge carries them out with
the real manager on its own side. `items` lists the rules; `gains` and `growth` hold the checks.
"""

from radixlab.grade.ex3.items import EXERCISE
from radixlab.grade.ex3.traffic import scene
from radixlab.grade.ex3.trying import open_workload, run_plan, try_plan, work_of

__all__ = ["EXERCISE", "open_workload", "run_plan", "scene", "try_plan", "work_of"]
