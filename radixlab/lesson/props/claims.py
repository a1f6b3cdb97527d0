"""The claims of prefix caching on trial, for lesson 09: counted, with tables and pictures.

`radixlab.bench.claims` and its neighbours measure and judge. This file shows what they find in a
notebook. A trial prints as a table, and `draw_workloads` and `draw_conditions` draw trials.
"""

import textwrap
from typing import TYPE_CHECKING

from radixlab.bench.claims import CLAIMS, Claim, Verdict
from radixlab.bench.claims_pictures import dots, lines
from radixlab.bench.claims_traffic import CONDITIONS
from radixlab.bench.claims_trial import (
    LENGTH,
    ConditionTrial,
    WorkloadTrial,
    on_workloads,
    under,
    workloads,
)
from radixlab.lesson.picture import Picture
from radixlab.viz.claims_plot import draw_dots, draw_lines

if TYPE_CHECKING:
    from radixlab.bench.claims_times import TimeTrial  # with torch, which may be missing

__all__ = [
    "CLAIMS",
    "CONDITIONS",
    "LENGTH",
    "Claim",
    "ConditionTrial",
    "Verdict",
    "WorkloadTrial",
    "draw_conditions",
    "draw_workloads",
    "time_claims",
    "try_claims",
    "under",
    "verdicts",
]


def try_claims(num_requests: int = 60) -> WorkloadTrial:
    """Try every claim on every generator, with this many requests of each; takes a few seconds."""
    return on_workloads(workloads(num_requests))


def verdicts(trial: WorkloadTrial, *conditions: ConditionTrial) -> None:
    """Print each claim with its verdict; trials of conditions are judged too."""
    for verdict in trial.verdicts(*conditions):
        print(f"{verdict.claim.says} ({verdict.num_holding} of {verdict.num_cases} workloads)")
        print(textwrap.indent(textwrap.fill(str(verdict), 84, break_on_hyphens=False), "    "))


def time_claims(rounds: int = 1) -> "TimeTrial":
    """Time the tiny model with the cache and without, on sharing traffic and where claims fail."""
    from radixlab.bench.attention_clocks import one_thread
    from radixlab.bench.claims_times import TimeTrial, load, settings, time_settings

    with one_thread():
        return TimeTrial(tuple(time_settings(load("tiny"), settings(), rounds, lambda: None)))


def draw_workloads(trial: WorkloadTrial) -> Picture:
    """Draw a dot for each workload and claim; the dashed line is the claim's bound."""
    return Picture.of(draw_dots(dots(trial)), str(trial))


def draw_conditions(*trials: ConditionTrial) -> Picture:
    """Draw how far each claim is above its bound while a condition changes."""
    text = "\n\n".join(str(trial) for trial in trials)
    return Picture.of(draw_lines(lines(trials)), text)
