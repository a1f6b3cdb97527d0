"""Alert rules on scripted series: read, evaluated, and told when they fire.

A rule is a dict with the keys of a Prometheus rules file. It becomes pending when its expression
returns a series, and fires when that series has been there for the time of `for`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from radixlab.exercise.metrics import FAULTS
from radixlab.grade.ex5.incidents import SCRAPE_S
from radixlab.grade.ex5.promql import Labels, Series, evaluate
from radixlab.grade.ex5.promql_text import Expression, RuleError, parse, seconds
from radixlab.grade.items import Failed
from radixlab.grade.reading import one_line, rows, shown

LEAST_FOR_S = 60.0
LEAST_SUMMARY = 10
"""Characters of the sentence that says what to do."""
EVALUATED_S = 10
"""Seconds from each scrape to the evaluation of the rules."""
_KEYS = {"alert", "expr", "for", "labels", "annotations"}
_MOST = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert."""

    name: str
    expression: Expression = field(repr=False)
    for_s: float


def read_rules(value: Any) -> dict[str, Rule]:
    """Read the learner's rules, one for each fault; raise `Failed` for anything else."""
    rules = dict[str, Rule]()
    for entry in rows("what alert_rules() returns", value, _MOST):
        rule = _read(entry)
        if rule.name in rules:
            raise Failed(f"alert_rules() returns two alerts with the name {rule.name}.")
        rules[rule.name] = rule
    if not rules:
        raise Failed("alert_rules() returns no alert: write one for each of the five faults.")
    return rules


def _read(entry: Any) -> Rule:
    if type(entry) is not dict:
        raise Failed(f"Each alert must be a dict; one is {shown(entry)}.")
    name = _text(entry, "alert", "an alert")
    if name not in FAULTS:
        raise Failed(f"{one_line(name)!r} is not a fault: name alerts {', '.join(FAULTS)}.")
    if unknown := sorted(str(key)[:30] for key in entry if key not in _KEYS):
        raise Failed(f"The alert {name} has the key {one_line(unknown[0])!r}; use {sorted(_KEYS)}.")
    if "for" not in entry:
        raise Failed(
            f'The alert {name} has no "for": it would wake somebody for a burst of a minute.'
        )
    notes = entry.get("annotations")
    summary = notes.get("summary") if type(notes) is dict else None
    if type(summary) is not str or len(summary.strip()) < LEAST_SUMMARY:
        raise Failed(
            f'The alert {name} needs a sentence in annotations["summary"] that says what to do; '
            f"it is {shown(summary)}."
        )
    try:
        for_s = seconds(_text(entry, "for", f"the alert {name}"))
        expression = parse(_text(entry, "expr", f"the alert {name}"))
    except RuleError as error:
        raise Failed(f"The alert {name} cannot be read: {one_line(str(error))}.") from None
    if for_s < LEAST_FOR_S:
        raise Failed(
            f'The alert {name} waits {for_s:g} s ("for"); bursts last longer than that: wait at '
            f"least {LEAST_FOR_S:g} s."
        )
    return Rule(name, expression, for_s)


def _text(entry: dict[Any, Any], key: str, whose: str) -> str:
    value = entry.get(key)
    if type(value) is not str:
        raise Failed(f"{key!r} of {whose} must be text; it is {shown(value)}.")
    return value


def scripted(texts: Sequence[str]) -> Series:
    """Return scrapes as series on the scripted clock."""
    times = [SCRAPE_S * (number + 1) - EVALUATED_S for number in range(len(texts))]
    return Series([float(time) for time in times], texts)


def firing(rule: Rule, series: Series, num_scrapes: int) -> list[bool]:
    """Return whether a rule fires, after each scrape.

    Raises
    ------
    Failed
        Prometheus could not evaluate it.
    """
    since = dict[Labels, float]()
    fires = list[bool]()
    for number in range(num_scrapes):
        now = float(SCRAPE_S * (number + 1))
        try:
            active = evaluate(rule.expression, series, now)
        except RuleError as error:
            told = f"The alert {rule.name} cannot be evaluated: {one_line(str(error))}."
            raise Failed(told) from None
        since = {key: since.get(key, now) for key in active}
        fires.append(any(now - start >= rule.for_s for start in since.values()))
    return fires
