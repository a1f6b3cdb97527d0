"""What a learner reads: text, page and exports of one report; nothing of theirs is trusted."""

import csv
import io
import json
import unicodedata
from dataclasses import replace
from xml.etree import ElementTree

from radixlab.grade.exports import as_csv, as_gradescope, as_json, as_junit
from radixlab.grade.items import Item
from radixlab.grade.render import page, text
from radixlab.grade.report import ExerciseReport, ItemReport, Step, Verdict, as_dict
from radixlab.grade.table import table
from radixlab.observe.state import NodeState, State

HINTS = ("look twice", "count the leaves", "sum(leaves)")
EVIL = "<script>alert(1)</script>\x1b[0m\x00"


def item(id, points, verdict):
    rule = f"The rule of {id}."
    return ItemReport("8.5.0", Item(id, points, rule, lambda trial: None, HINTS, ()), verdict)


def exercise(*items):
    return ExerciseReport("8.5.0", "A toy", items, ("cell 7 (one)",), EVIL)


STEP = Step("<8.5.0>", 4, "insert", "return 2")
PASSED = item("easy", 3, Verdict("passed", 1.0, notes=("gap closed: 0.61",)))
HALF = item("half", 4, Verdict("partial", 0.5, notes=("half way",)))
FAILED = item(
    "hard",
    5,
    Verdict(
        "failed",
        message=f"expected 3 blocks, found 2 {EVIL}",
        scenario="tree = RadixTree(4)",
        expected=State(num_blocks=8, block_size=4),
        actual="2 blocks",
        steps=(STEP,),
    ),
)
REPORT = exercise(PASSED, HALF, FAILED)


def test_the_text_tells_points_rule_cause_and_scenario():
    said = text(REPORT)
    for part in (
        "8.5.0 A toy: 5 of 12 points",
        "✓ easy     3/3  gap closed: 0.61",
        "The rule of hard.",
        "expected 3 blocks, found 2",
        "<8.5.0> line 4, in insert: return 2",
        "tree = RadixTree(4)",
    ):
        assert part in said


def test_the_same_cause_is_told_once():
    why = Verdict("crashed", message="Your code ended its own process.")
    said = text(exercise(PASSED, item("a", 1, why), item("b", 1, why)))
    assert said.count("    Your code ended") == 1
    assert (
        page(exercise(PASSED, item("a", 1, why), item("b", 1, why))).count("Your code ended") == 1
    )


def test_a_cause_of_all_items_is_told_once_and_no_item_is_listed():
    why = Verdict("failed", message="Your code raised SyntaxError: no", steps=(STEP,))
    report = exercise(*(item(str(n), 1, why) for n in range(9)))
    said = text(report)
    assert page(report).count("SyntaxError") == 1 and "The rule of" not in page(report)
    assert said.splitlines() == [
        "8.5.0 A toy: 0 of 9 points",
        "✗ Your code raised SyntaxError: no",
        "<8.5.0> line 4, in insert: return 2",
    ]


def test_a_stub_is_told_kindly_and_briefly():
    stub = Verdict("stub", message="`insert` is not written yet.")
    said = text(exercise(item("a", 1, stub), item("b", 1, stub)))
    assert said.splitlines()[1:] == ["○ `insert` is not written yet."]
    assert "There is nothing to grade yet" in said


def test_the_page_escapes_what_the_learner_wrote():
    html = page(REPORT)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_page_draws_a_tree_beside_the_text():
    html = page(REPORT)
    assert html.count("data:image/png;base64,") == 1
    assert "<pre>2 blocks</pre>" in html


def test_the_page_hides_the_hints_one_behind_the_other():
    html = page(REPORT)
    assert html.index("look twice") < html.index("count the leaves") < html.index("sum(leaves)")
    assert html.count("<details>") >= 3


def test_json_has_the_keys_of_the_command_line():
    found = as_dict([REPORT])
    assert (found["points"], found["max_points"]) == (5, 12)
    assert found["exercises"][0]["items"][2] == {
        "id": "hard",
        "points": 0,
        "max_points": 5,
        "status": "failed",
        "rule": "The rule of hard.",
    }


def test_csv_has_a_line_for_each_learner_and_no_formula():
    rows = list(csv.DictReader(io.StringIO(as_csv({"ada": [REPORT], "=HYPERLINK()": [REPORT]}))))
    assert [row["learner"] for row in rows] == ["ada", "'=HYPERLINK()"]
    assert (rows[0]["points"], rows[0]["8.5.0/half"]) == ("5", "2")


def test_junit_is_xml_whatever_the_message():
    root = ElementTree.fromstring(as_junit({"ada": [REPORT]}))
    assert [case.get("name") for case in root.iter("testcase")] == ["easy", "half", "hard"]
    assert [failure.get("type") for failure in root.iter("failure")] == ["partial", "failed"]


def test_gradescope_gets_every_item_and_the_sum():
    found = json.loads(as_gradescope([REPORT], [7, 12]))
    assert found["score"] == 5
    assert found["extra_data"] == {"seeds": [7, 12]}
    assert [(t["number"], t["score"]) for t in found["tests"]] == [
        ("8.5.0/easy", 3),
        ("8.5.0/half", 2),
        ("8.5.0/hard", 0),
    ]


EVIL_NAME = "=cmd|\x1b]0;owned\x07\u202e\n\x00"


def test_no_character_that_steers_a_terminal_reaches_one():
    evil = Verdict("failed", message=EVIL, scenario=EVIL, actual=EVIL, steps=(evil_step(),))
    report = replace(exercise(PASSED, item("a", 1, evil)), doubts=(EVIL,), without=(EVIL,))
    learners = {EVIL_NAME: [report], "ada": [report]}
    shown = [text(report), page(report), table(learners), as_csv(learners), as_junit(learners)]
    shown += [as_json(learners, [0]), as_gradescope([report])]
    for said in shown:
        assert all(c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf") for c in said)
    outputs = [
        json.loads(shown[-1])["output"],
        *(t["output"] for t in json.loads(shown[-1])["tests"]),
    ]
    assert all("\x1b" not in output for output in outputs)
    ElementTree.fromstring(shown[4])


def evil_step():
    return Step("<8.5.0>", 4, EVIL, EVIL)


def not_judged(absent):
    why = item("easy", 3, Verdict("not_run", message="why"))
    return replace(exercise(why), absent=absent)


def standing(*verdicts):
    return exercise(*(item(str(n), 2, verdict) for n, verdict in enumerate(verdicts))).standing


def test_every_standing_has_its_word():
    stub, failed = Verdict("stub"), Verdict("failed")
    assert standing(stub, stub) == "stub"
    assert standing(stub, failed) == "failed"
    assert standing(failed, Verdict("partial", 0.1)) == "graded"
    assert standing(Verdict("passed", 1.0), Verdict("not_run")) == "grader failed"
    assert not_judged("not handed in").standing == "not handed in"
    assert not_judged("unreadable").standing == "unreadable"


CLASS = {
    "ada": [replace(exercise(PASSED), tries=3)],
    "bob": [exercise(item("easy", 3, Verdict("failed")))],
    "cyd": [not_judged("not handed in")],
    "dan": [not_judged("unreadable")],
}


def test_csv_tells_nothing_handed_in_from_unreadable_from_no_points():
    rows = list(csv.DictReader(io.StringIO(as_csv(CLASS, seeds=(7, 8)))))
    kinds = [(r["8.5.0 status"], r["8.5.0 points"], r["8.5.0/easy"]) for r in rows]
    assert kinds == [
        ("graded", "3", "3"),
        ("failed", "0", "0"),
        ("not handed in", "0", ""),
        ("unreadable", "0", ""),
    ]
    assert {row["seeds"] for row in rows} == {"7 8"}
    assert [row["8.5.0 tries"] for row in rows] == ["3", "", "", ""]


def test_csv_has_the_same_columns_whoever_is_there():
    headers = {as_csv({name: found}).splitlines()[0] for name, found in CLASS.items()}
    assert headers == {
        "learner,points,max_points,seeds,8.5.0 points,8.5.0 status,8.5.0 tries,8.5.0/easy"
    }


def test_json_of_a_class_has_seeds_learners_and_what_was_missed():
    found = json.loads(as_json(CLASS, [7]))
    assert (found["seeds"], list(found["learners"])) == ([7], ["ada", "bob", "cyd", "dan"])
    assert found["items"] == [
        {
            "id": "8.5.0/easy",
            "num_judged": 2,
            "num_passed": 1,
            "mean_share": 0.5,
            "median_share": 0.5,
        }
    ]


def test_the_table_shows_each_standing_and_the_hardest_items():
    lines = table(CLASS | {"a name that is far too long for a table": CLASS["ada"]}).splitlines()
    assert lines[3].split() == ["cyd", "none", "0"]
    assert lines[4].split() == ["dan", "unread", "0"]
    assert "none: not handed in" in lines
    assert lines[-1].split() == ["8.5.0/easy", "passed", "by", "2", "of", "3,", "mean", "67", "%"]
    assert max(map(len, lines)) <= 80


def test_a_verdict_survives_the_way_between_two_processes():
    tree = State(8, 2, nodes={0: NodeState(0, None, None, [1, 2], [0], 1)})
    verdict = replace(FAILED.verdict, expected=tree, notes=("a", "b"))
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    huge = Verdict("failed", message="x" * 10**6, steps=(STEP,) * 1000, notes=("n" * 10**6,) * 50)
    assert len(json.dumps(huge.to_json())) < 200_000
