"""What the pictures of claims show: dots for workloads, lines for conditions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radixlab.bench.claims import CLAIMS, SMALLER, UNBURDENED
from radixlab.bench.claims_trial import ConditionTrial, WorkloadTrial

if TYPE_CHECKING:
    from radixlab.viz.claims_plot import Dots, Lines
SHORT = {
    "tokens": "tokens: without ÷ with",
    "memory": "blocks saved at the peak",
    "first token": "tokens before it: without ÷ with",
    "overhead": "tree ÷ block operations",
}
"""A claim's figure, as short as an axis needs it."""


def dots(trial: WorkloadTrial) -> list["Dots"]:
    """Return a panel for each claim, the workloads in the order of what is found."""
    from radixlab.viz.claims_plot import Dots

    rows = sorted(trial.rows, key=lambda row: row.found, reverse=True)
    return [
        Dots(
            f"{claim.name} {claim.limit}",
            SHORT[claim.name],
            claim.bound,
            claim in (SMALLER, UNBURDENED),
            [
                (f"{row.traffic}, {row.found:.0%} found", case.figure, case.holds)
                for row in rows
                for case in row.cases
                if case.claim is claim
            ],
        )
        for claim in CLAIMS
    ]


def lines(conditions: Sequence[ConditionTrial]) -> list["Lines"]:
    """Return a panel for each condition."""
    from radixlab.viz.claims_plot import Lines

    return [
        Lines(
            condition.what,
            [step for step, _ in condition.sweeps[0].steps],
            [(s.claim.name, [case.margin for _, case in s.steps]) for s in condition.sweeps],
        )
        for condition in conditions
    ]
