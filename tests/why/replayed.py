"""Runs `explain` over generated bodies, and says how well it has named a known fault."""

import json
from dataclasses import dataclass

import pytest

from radixlab.why.explain import explain
from radixlab.why.report import Report


@pytest.fixture
def explained(tmp_path):
    """Explain bodies as a log file, by the door that users have."""

    def run(bodies, **settings):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(body) + "\n" for body in bodies), "utf-8")
        report = explain(path, **settings)
        adds_up(report)
        return report

    return run


def adds_up(report: Report) -> None:
    """Every prompt token is a hit or has exactly one cause."""
    assert report.hit_tokens + sum(row.tokens_lost for row in report.causes) == report.prompt_tokens


def by_cause(report: Report) -> dict:
    """Tokens lost by cause, in the order of the report."""
    lost: dict = {}
    for row in report.causes:
        lost[row.cause] = lost.get(row.cause, 0) + row.tokens_lost
    return lost


def blamed(report: Report) -> float:
    """The share of the prompt tokens with a cause that could be avoided."""
    lost = by_cause(report)
    return sum(lost.values(), -lost.get("never_seen", 0)) / report.prompt_tokens


@dataclass(frozen=True)
class Verdict:
    """What a report has made of one case."""

    case: object
    report: Report
    twin: Report

    def check(self) -> None:
        """The faults come first, at their place, and advice is right to one point."""
        wanted = {place.cause for place in self.case.places}
        lost = by_cause(self.report)
        assert set(list(lost)[: len(wanted)]) == wanted
        faults = sum(lost[cause] for cause in wanted)
        assert faults >= 0.9 * sum(lost.values(), -lost.get("never_seen", 0))
        assert abs(self.report.possible_hit_rate - self.twin.hit_rate) <= 0.01
        if len(wanted) == 1:
            (cause,) = wanted
            gain = max(fix.gain for fix in self.report.fixes if fix.cause == cause)
            assert abs(gain - (self.twin.hit_rate - self.report.hit_rate)) <= 0.01
        for place in self.case.places:
            self._check_place(place)

    def _check_place(self, place) -> None:
        rows = [row for row in self.report.causes if row.cause == place.cause]
        if place.field:
            names = {"system": ("system", "prompt"), "history": ("messages", "prompt")}
            named = names.get(place.field, (place.field,))
            assert all(row.where.startswith(named) for row in rows)
        if place.values:
            # A value of the fault stands in the row whole, before and after, and at its line.
            assert any({row.before, row.after} <= set(place.values) for row in rows)


def tried(explained, case) -> Verdict:
    """Explain a case and its twin."""
    report = explained(case.bodies, **case.settings)
    return Verdict(case, report, explained(case.twin, **case.twin_settings))
