"""Every broken engine is caught by a test named for the rule it breaks.

A mutant counts as caught if one of those tests fails by an assertion or a typed error, not by a
crash, while the oracles of `Checked` are silent: what the rule says is then asserted by the rule's
own test. A test that the sound engine fails without the oracles does not count. `make soak` goes on
after the first test that catches a mutant, lets the oracles speak too, and sees that the sound
engine passes all of them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from radixlab.cache import BlockAllocator
from radixlab.cache.rules import rules
from tests.mutants.broken import MUTANTS
from tests.mutants.edits import Edit, Mutant, applied
from tests.mutants.matrix import ROW, TITLE

ROOT = Path(__file__).parents[2]
WHERE = ("tests/cache", "tests/observe", "tests/sched", "tests/mutants/test_sharper.py")
STARRED = {rule.id for rule in rules() if rule.starred}
"""The rules marked as such in the rulebook: the ones that engines have broken."""
RULES = sorted({mutant.rule for mutant in MUTANTS.values()})
EACH = pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
LEGEND = """\
A row is a rule, an engine that breaks it, and the test named for the rule that caught it by its own
assertions, with the oracles silent. Under `make soak` also: how many of those tests caught it, and
how many of them alone, without the oracles."""


def run_trials(file: Path, *options: str, timeout: int = 1800) -> list[dict]:
    """Run the tests on broken engines in a process of their own; return a record per trial."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-p", "tests.mutants.trials", "--trials", str(file), *options, *WHERE),
    ]
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTEST", "RADIXLAB_SOAK"))
    }
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=timeout
        )
        end = f"{done.stdout[-2000:]}{done.stderr[-2000:]}" if done.returncode not in (0, 5) else ""
    except subprocess.TimeoutExpired:
        end = f"not done after {timeout} s"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    records = [json.loads(line) for line in lines]
    assert not end, f"{end}\nlast: {records[-1:]}"
    return records


@pytest.fixture(scope="module")
def trials(tmp_path_factory) -> list[dict]:
    return run_trials(tmp_path_factory.mktemp("mutants") / "trials.jsonl")


@pytest.fixture(scope="module")
def whole_trials(tmp_path_factory) -> list[dict]:
    return run_trials(tmp_path_factory.mktemp("mutants") / "trials.jsonl", "--whole")


def verdicts(trials: list[dict], **what: object) -> dict[str, str]:
    """Return the tests that failed in the one trial that is described so, and how."""
    (trial,) = (
        trial
        for trial in trials
        if "failed" in trial and all(trial.get(key) == value for key, value in what.items())
    )
    return trial["failed"]


def convicted(failed: dict[str, str]) -> list[str]:
    """List the tests that failed in a way that convicts, those by assertion first."""
    caught = [test for test, how in failed.items() if how != "crash"]
    return sorted(caught, key=lambda test: (failed[test] != "assertion", test))


def test_every_starred_rule_has_a_mutant():
    assert len(STARRED) == 37
    assert sorted(STARRED - set(RULES)) == []


@EACH
def test_a_mutant_fits_the_engine_and_tells_its_story(mutant: Mutant):
    with applied(mutant.edits()):
        assert mutant.story.endswith(".")


def caught_alone(mutant: Mutant, trials: list[dict]) -> list[str]:
    """List the tests of the rule that convict a mutant without the oracles."""
    needs_oracles = verdicts(trials, rule=mutant.rule, sound=True, oracles=False)
    failed = verdicts(trials, mutant=mutant.name, oracles=False)
    return convicted({test: how for test, how in failed.items() if test not in needs_oracles})


@EACH
def test_a_broken_engine_is_caught_by_a_test_of_its_rule(mutant: Mutant, trials, record_property):
    own = caught_alone(mutant, trials)
    failed = verdicts(trials, mutant=mutant.name, oracles=False)
    record_property(TITLE, LEGEND)
    record_property(ROW, f"{mutant.rule:3} {mutant.name:47} {(own or ['NOBODY'])[0]}")
    assert own, f"{mutant.rule}: no test of the rule saw it without oracles; failed: {failed}"


@pytest.mark.soak
@pytest.mark.parametrize("rule", RULES)
def test_the_sound_engine_keeps_the_rule(rule: str, whole_trials):
    assert verdicts(whole_trials, rule=rule, sound=True, oracles=True) == {}


@pytest.mark.soak
@EACH
def test_all_tests_of_its_rule_against(mutant: Mutant, whole_trials, record_property):
    own = caught_alone(mutant, whole_trials)
    failed = verdicts(whole_trials, mutant=mutant.name, oracles=True)
    caught = convicted(failed)
    num_tests = next(len(trial["tests"]) for trial in whole_trials if trial["rule"] == mutant.rule)
    counts = f"{len(caught):2} of {num_tests:2}, alone {len(own):2}"
    record_property(TITLE, LEGEND)
    record_property(ROW, f"{mutant.rule:3} {mutant.name:47} {counts}")
    assert caught, f"{mutant.rule}: {num_tests} tests, none saw it; crashed: {sorted(failed)}"
    assert own, f"{mutant.rule}: only the oracles saw it, in {caught}"


@pytest.mark.soak
@EACH
def test_the_whole_suite_against(mutant: Mutant, tmp_path, record_property):
    options = ("--every-test", "--mutant", mutant.name)
    trials = run_trials(tmp_path / "trials.jsonl", *options, timeout=1800)
    (trial,) = (trial for trial in trials if "failed" in trial)
    caught = convicted(trial["failed"])
    seen_by = sorted(set(trial["rules"]), key=lambda rule: (rule[0], int(rule[1:])))
    record_property(
        ROW, f"{mutant.rule:3} {mutant.name:47} {len(caught):3} of all: {' '.join(seen_by)}"
    )
    assert mutant.rule in seen_by


# ---- the tool itself


def test_an_edit_breaks_the_engine_for_a_while():
    answer = Edit(BlockAllocator.pop, {"first + num_blocks": "first + 1"})
    with applied([answer]):
        assert len(BlockAllocator(4).allocate(3)) == 1
    assert len(BlockAllocator(4).allocate(3)) == 3


def test_an_edit_that_does_not_fit_raises_and_leaves_nothing_broken():
    good = Edit(BlockAllocator.pop, {"first + num_blocks": "first + 1"})
    stale = Edit(BlockAllocator.free, {"a line there is not": ""})
    with pytest.raises(LookupError, match="a line there is not"), applied([good, stale]):
        raise AssertionError("applied")
    assert len(BlockAllocator(4).allocate(3)) == 3
