"""What a learner reads: text, page and exports of one report; nothing of theirs is trusted."""

import csv
import io
import json
from xml.etree import ElementTree

from radixlab.grade.exports import as_csv, as_gradescope, as_junit
from radixlab.grade.items import Item
from radixlab.grade.render import page, text
from radixlab.grade.report import ExerciseReport, ItemReport, Step, Verdict, as_dict
from radixlab.observe.state import State

HINTS = ("look twice", "count the leaves", "sum(leaves)")
EVIL = "<script>alert(1)</script>\x1b[0m\x00"


def item(id, points, verdict):
    rule = f"The rule of {id}."
    return ItemReport("8.5.0", Item(id, points, rule, lambda trial: None, HINTS, ()), verdict)


def exercise(*items):
    return ExerciseReport("8.5.0", "A toy", items, ("cell 7 (one)",), EVIL)


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
        steps=(Step("<8.5.0>", 4, "insert", "return 2"),),
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
    said = text(exercise(item("a", 1, why), item("b", 1, why)))
    assert said.count("    Your code ended") == 1


def test_a_stub_is_told_kindly_and_briefly():
    stub = Verdict("stub", message="`insert` is not written yet.")
    said = text(exercise(item("a", 1, stub), item("b", 1, stub)))
    assert said.splitlines()[1:] == ["○ `insert` is not written yet."]
    assert "Nothing is written yet" in said


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
    found = json.loads(as_gradescope([REPORT]))
    assert found["score"] == 5
    assert [(t["number"], t["score"]) for t in found["tests"]] == [
        ("8.5.0/easy", 3),
        ("8.5.0/half", 2),
        ("8.5.0/hard", 0),
    ]
