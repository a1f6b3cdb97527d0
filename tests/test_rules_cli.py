"""`radixlab rules`: the rulebook on a terminal."""

import json
import re
from pathlib import Path

import pytest

from radixlab.cache.rules import Rule, letters, rules, unused
from tests.test_cli import Run, run

__all__ = ["run"]

ROOT = Path(__file__).parents[1]


def ids_in(out: str) -> list[str]:
    """List the ids that begin an entry of a list."""
    return re.findall(r"^ {1,2}([A-Z]\d+)\*? ", out, re.MULTILINE)


def test_all_rules_are_listed_by_subject_and_no_line_is_wide(run: Run) -> None:
    done = run("rules")
    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80
    assert sorted(ids_in(done.out)) == sorted([*(rule.id for rule in rules()), *unused()])
    shown = " ".join(done.out.split())
    assert all(rule.sentence in shown for rule in rules())
    starts = [done.out.index(f"\n{title}\n") for title in letters().values()]
    assert starts == sorted(starts)


@pytest.mark.parametrize("letter", letters())
def test_a_letter_lists_its_rules(run: Run, letter: str) -> None:
    upper, lower = run("rules", letter), run("rules", letter.lower())
    assert upper == lower and upper.code == 0
    assert ids_in(upper.out) == [*(rule.id for rule in rules(letter)), *unused(letter)]


@pytest.mark.parametrize("entry", rules(), ids=lambda entry: entry.id)
def test_a_rule_in_full_leads_to_its_source_and_its_test(run: Run, entry: Rule) -> None:
    done = run("rules", entry.id.lower())
    assert (done.code, done.err) == (0, "")
    words = " ".join(done.out.split())
    assert entry.sentence in words and entry.why in words
    found = re.findall(r"(radixlab/\S+\.py):(\d+) in \S*?(\w+)$", done.out, re.MULTILINE)
    assert len(found) == len(entry.functions)
    for file, line, name in found:
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        assert re.match(rf"\s*def {name}\(", lines[int(line) - 1])
    tests = re.findall(r"(tests/\S+\.py)::(\w+)$", done.out, re.MULTILINE)
    assert len(tests) == len(entry.tests)
    assert all(f"def {name}(" in (ROOT / file).read_text("utf-8") for file, name in tests)
    assert all(mutant in done.out for mutant in entry.mutants)


def test_stars_are_shown_where_a_mutant_must_exist(run: Run) -> None:
    starred = set(re.findall(r"^ {1,2}([A-Z]\d+)\*", run("rules").out, re.MULTILINE))
    assert starred == {rule.id for rule in rules() if rule.starred}


def test_json_is_a_list_of_objects_with_these_fields(run: Run) -> None:
    done = run("rules", "--json")
    assert (done.code, done.err) == (0, "")
    entries = json.loads(done.out)
    assert [entry["id"] for entry in entries] == [rule.id for rule in rules()]
    fields = ["id", "subject", "sentence", "why", "functions", "tests", "mutants", "starred"]
    assert all(list(entry) == fields for entry in entries)
    places = [place for entry in entries for place in entry["functions"]]
    assert all(list(place) == ["function", "file", "line"] for place in places)
    assert all((ROOT / place["file"]).is_file() and place["line"] > 0 for place in places)


def test_several_names_are_shown_in_their_order_and_once_in_json(run: Run) -> None:
    out = run("rules", "K", "M8", "K2").out
    assert [out.index(text) for text in ("Keys and", "M8  ", "why ")] == sorted(
        out.index(text) for text in ("Keys and", "M8  ", "why ")
    )
    ids = [entry["id"] for entry in json.loads(run("rules", "M8", "K", "M8", "--json").out)]
    assert ids == ["M8", "K1", "K2", "K3", "K4"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("M13", "there is no rule 'M13': the nearest are M12, M11, M10"),
        ("l99", "the nearest are L11, L10, L9"),
        ("X8", "the nearest are M8, L8, E8"),
        ("MM", "the letters M L E C H S K T"),
        ("", "the letters M L E C H S K T"),
        ("8", "such as M8"),
        ("match", "such as M8"),
        ("T4", "T4 is not in use. It is about clients"),
        ("--all", "No such option"),
    ],
)
@pytest.mark.parametrize("others", [(), ("--json",), ("M",)])
def test_an_unknown_rule_is_one_line(run: Run, name: str, says: str, others: tuple[str]) -> None:
    done = run("rules", *others, name)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert says in done.err
