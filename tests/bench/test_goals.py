"""Goals say whether they hold, and JSON holds numbers where a table shows them."""

import json
import re

import pytest

from radixlab.bench.goals import LEAST_ROUNDS, Goal
from radixlab.bench.measure import spread
from radixlab.cli import main

CASES = [
    (Goal("≤", 4, beyond=2.5), 4.0, "met"),
    (Goal("≤", 4, beyond=2.5), 2.5, "beyond"),
    (Goal("≤", 4, beyond=2.5), 4.1, "missed"),
    (Goal("≥", 12, beyond=20), 12.0, "met"),
    (Goal("≥", 12, beyond=20), 20.0, "beyond"),
    (Goal("≥", 12, beyond=20), 11.9, "missed"),
    (Goal("≥", 12), 100.0, "met"),
]


@pytest.mark.parametrize(("goal", "figure", "verdict"), CASES)
def test_a_goal_is_judged_by_the_median(goal: Goal, figure: float, verdict: str) -> None:
    assert goal.verdict(figure, LEAST_ROUNDS) == verdict
    assert goal.verdict(spread([0, figure, 1e9]), LEAST_ROUNDS) == verdict
    assert goal.judge(figure, LEAST_ROUNDS) == f"{goal}: {verdict}"


@pytest.mark.parametrize(("goal", "figure", "_"), CASES)
def test_few_rounds_are_not_judged(goal: Goal, figure: float, _: str) -> None:
    assert goal.verdict(figure, LEAST_ROUNDS - 1) == "too few rounds to say"


@pytest.mark.parametrize("name", ["codec", "cow"])
def test_json_holds_numbers_and_no_text_that_reads_as_one(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["bench", name, "--quick", "--rounds", "1", "--json"])
    assert done.value.code == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    texts = [value for row in rows for value in row.values() if isinstance(value, str)]
    assert rows and not [text for text in texts if re.fullmatch(r"[-+]?[\d.,]+(e-?\d+)? ?%?", text)]
