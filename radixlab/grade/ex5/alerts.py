"""Whether alerts fire in their own incidents, in time, and in no others.

The judge evaluates the rules on scripted series; no code of the learner's runs here.
"""

from dataclasses import dataclass

from radixlab.exercise.metrics import FAULTS
from radixlab.grade.ex5.incidents import HEALTHY, SCRAPE_S
from radixlab.grade.ex5.promql import Series
from radixlab.grade.ex5.rules import Rule, firing, read_rules, scripted
from radixlab.grade.ex5.traffic import NUM_BEFORE, timelines
from radixlab.grade.items import Failed, Trial

DEADLINE_SCRAPES = 24
"""Scrapes after the start of an incident within which its alert must fire: twelve minutes."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A scripted series, ready to evaluate rules on."""

    kind: str
    num_scrapes: int
    series: Series


def check_alerts(trial: Trial) -> float:
    """Evaluate every alert on every series."""
    rules = read_rules(trial.learner.alert_rules())
    lines = [Timeline(k, len(t), scripted(t)) for k, t in timelines(trial.seed).items()]
    problems = dict[str, str]()
    for fault in FAULTS:
        rule = rules.get(fault)
        problem = f"There is no alert {fault}." if rule is None else None
        for line in lines:
            if rule is not None and problem is None:
                problem = complaint(rule, line)
        if problem:
            problems[fault] = problem
    if not problems:
        return 1
    told = " ".join(problems.values())
    if len(problems) == len(FAULTS):
        raise Failed(told)
    trial.notes.append(told)
    return 1 - len(problems) / len(FAULTS)


def complaint(rule: Rule, line: Timeline) -> str | None:
    """Say what is wrong with when an alert fires on a series."""
    try:
        fires = firing(rule, line.series, line.num_scrapes)
    except Failed as error:
        return str(error)
    first = fires.index(True) if True in fires else None
    if line.kind != rule.name:
        return None if first is None else _false_alarm(rule, line, first)
    if first is not None and first < NUM_BEFORE:
        return f"The alert {rule.name} fires before its incident begins, {_minutes(first)}."
    if first is None or first > NUM_BEFORE + DEADLINE_SCRAPES:
        when = "never fires" if first is None else f"fires {_minutes(first - NUM_BEFORE)}"
        return (
            f"The alert {rule.name} {when} in its incident; it must fire within "
            f"{DEADLINE_SCRAPES * SCRAPE_S // 60} minutes of the beginning."
        )
    return None


def _false_alarm(rule: Rule, line: Timeline, first: int) -> str:
    where = "on a healthy server" if line.kind == HEALTHY else f"in the incident {line.kind}"
    return f"The alert {rule.name} fires {where}, {_minutes(first)} after the series begins."


def _minutes(scrapes: int) -> str:
    return f"{(scrapes + 1) * SCRAPE_S / 60:g} minutes"
