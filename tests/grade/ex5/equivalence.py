"""Whether a mutated submission is still a right one: the grader's own rules on many more draws."""

from types import SimpleNamespace

from radixlab.grade.ex5.accounting import check_ledger
from radixlab.grade.ex5.alerts import check_alerts
from radixlab.grade.ex5.launching import check_deploy
from radixlab.grade.ex5.monitoring import check_monitor
from radixlab.grade.ex5.naming import check_diagnose
from radixlab.grade.items import Trial

TIMES = ((check_deploy, 100), (check_ledger, 10), (check_monitor, 4), (check_alerts, 4))
"""Seeds of each check: sites are drawn at once, and a series takes the engine a second."""


def same(source, seed):
    """Whether a text still is a right solution."""
    names = {"__name__": "submission"}
    try:
        exec(compile(source, "<submission>", "exec"), names)
        learner = SimpleNamespace(**names)
        checks = (*TIMES, (check_diagnose, 4))
        return all(
            check(Trial(learner, 100 * seed + number)) == 1
            for check, num in checks
            for number in range(num)
        )
    except Exception:
        return False
