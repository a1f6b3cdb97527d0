"""The generator breaks what it says it breaks; the runner survives what its mutants do."""

import ast
import json
from collections import Counter
from types import SimpleNamespace

import pytest

from radixlab.grade.items import Failed
from tests.grade.mutation.child import Fate, start, start_same
from tests.grade.mutation.choose import Mutant, mutants
from tests.grade.mutation.kinds import KINDS, edits
from tests.grade.mutation.results import Results, summary
from tests.grade.zoo import ZOOS, Zoo

EXAMPLES = {  # a statement, and mutants that each kind must know
    "off-by-one": {
        "x = a[i:j]": {"x = a[i + 1:j]", "x = a[i:j - 1]"},
        "for i in range(n): f(i)": {"for i in range(n - 1): f(i)", "for i in range(n + 1): f(i)"},
        "x = len(a)": {"x = (len(a) - 1)", "x = (len(a) + 1)"},
        "x = 0": {"x = 1"},
        "while i < n: g()": {"while i < n + 1: g()"},
    },
    "wrong-key": {
        "a = d[a]; b = 2": {"a = d[b]; b = 2"},
        "x = node.key, node.id": {"x = node.id, node.id", "x = node.key, node.key"},
        "x = sorted(a, key=f)": {"x = sorted(a)"},
        "x = s['cow'], s['eager']": {"x = s[\"eager\"], s['eager']"},
        "x = min(a, key=lambda n: (n.tick, n.id))": {"x = min(a, key=lambda n: n.tick)"},
    },
    "forgotten-update": {
        "x.y += 1": {"pass", "x.y = 1"},
        "a.append(1)": {"pass"},
        "del d[k]": {"pass"},
        "a[0] = 1": {"pass"},
        "x.a, x.b = c, d": {"_, x.b = c, d"},
    },
    "swapped-order": {
        "a.pop()\n    b.append(a[0])": {"b.append(a[0])\n    a.pop()"},
        "f(a, b)": {"f(b, a)"},
        "x = a - b": {"x = (b - a)"},
        "return a, b": {"return b, a"},
    },
    "wrong-bound": {
        "x = a < b": {"x = a <= b", "x = a > b"},
        "x = min(a, b)": {"x = max(a, b)"},
        "x = a and b": {"x = (a or b)", "x = (a)", "x = (b)"},
        "x = any(a)": {"x = all(a)"},
        "if a: f()": {"if not a: f()"},
        "x = not a": {"x = (a)"},
    },
    "stale-state": {
        "x = list(a)": {"x = (a)"},
        "x = a[:]": {"x = a"},
        "for i in a:\n        f(i)\n        g(i)": {
            "for i in a:\n        f(i)\n        g(i)\n        break"
        },
        "while a:\n        f(a)": {"if a:\n        f(a)"},
        "x.a = 1\n    f(x)\n    g(x)": {"f(x)\n    g(x)\n    x.a = 1", "x.a = 1\n    return"},
    },
}
PAIRS = [
    (kind, text, mutant)
    for kind, examples in EXAMPLES.items()
    for text, found in examples.items()
    for mutant in sorted(found)
]


@pytest.mark.parametrize(("kind", "text", "mutant"), PAIRS)
def test_a_kind_breaks_what_it_is_named_after(kind, text, mutant):
    source = f"def f():\n    {text}\n"
    found = [source[: e.start] + e.text + source[e.end :] for e in edits(source) if e.kind == kind]
    assert any(one.startswith(f"def f():\n    {mutant}") for one in found), found


def test_what_only_people_read_stays():
    source = (
        'import os\n\ndef f(a: "int" = 1) -> "None":\n    """Return 3."""\n'
        '    raise ValueError(f"{a + 1} is not 7", 7)\n'
    )
    assert [source[: e.start] + e.text + source[e.end :] for e in edits(source)] == [
        source.replace("= 1", "= 2"),
        source.replace("= 1", "= 0"),
    ]


def test_positions_are_right_behind_letters_of_several_bytes():
    source = 'def f():\n    x = "αβγ", a[i:j]\n'
    assert 'def f():\n    x = "αβγ", a[i + 1:j]\n' in [
        source[: e.start] + e.text + source[e.end :] for e in edits(source)
    ]


@pytest.mark.parametrize("exercise", ZOOS)
def test_mutants_are_python_differ_and_are_spread_evenly(exercise):
    right = dict(list(ZOOS[exercise].right.items())[:4])
    found = mutants(right, 60)
    assert len(found) == len({(m.source, m.text) for m in found}) == 60
    assert found[:24] == mutants(right, 24) != mutants(right, 24, seed=1)
    assert {*Counter(m.kind for m in found).values()} == {60 // len(KINDS)}
    of_source = Counter(m.source for m in found)
    assert of_source.keys() == right.keys()
    assert max(of_source.values()) <= 2 * min(of_source.values()) + 2
    for mutant in found:
        assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(right[mutant.source]))
        assert len(mutant.diff.splitlines()) <= 40


ENDLESS = ("while True: pass", "import itertools; sum(itertools.repeat(1))")


def _zoo(**checks):
    """A zoo whose items are these functions of what a submission defines."""
    return SimpleNamespace(
        loaded=Zoo.loaded, items={id: SimpleNamespace(check=check) for id, check in checks.items()}
    )


def _asks(trial):
    if trial.learner.answer() != 42:
        raise Failed("not 42")


def _fate(body, items=("first", "asks"), **checks):
    """Run a submission that consists of this body; only one without an end meets a short limit."""
    zoo = _zoo(first=lambda trial: None, asks=_asks, **checks)
    limit_s = 0.3 if body in ENDLESS else 30
    run = start(zoo, f"def answer():\n    {body}\n", 0, list(items), limit_s=limit_s)
    fate = run.fate()
    assert not run.process.is_alive()
    return fate.killed_by, fate.how


@pytest.mark.parametrize(
    ("body", "fate"),
    [
        ("return 42", (None, "survived")),
        ("return 41", ("asks", "failed")),
        ("raise KeyError", ("asks", "raised")),
        ("raise KeyboardInterrupt", ("asks", "raised")),
        ("import sys; sys.exit()", ("asks", "raised")),
        ("while True: pass", ("asks", "time")),
        ("import itertools; sum(itertools.repeat(1))", ("asks", "ended")),
        ("import os; os._exit(0)", ("asks", "ended")),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ("asks", "ended")),
        ("return bytearray(8 << 30)", ("asks", "raised")),
        ("return answer()", ("asks", "raised")),
    ],
)
def test_whatever_a_mutant_does_it_has_a_fate(body, fate):
    assert _fate(body) == fate


def test_an_exception_of_the_check_itself_is_told_apart():
    def check(trial):
        return trial.learner.answer().real.nonsense

    assert _fate("return 42", ["check"], check=check) == ("check", "ours")


def test_a_part_of_the_points_is_a_kill():
    assert _fate("return 42", ["half"], half=lambda trial: 0.5) == ("half", "share")


def test_a_comparison_may_ask_for_the_right_text():
    assert start_same(lambda text, seed: text == "a", "a", "b", 0, 1.0).fate().how == "same"
    ask = start_same(lambda text, seed, original: text == original, "a", "b", 0, 1.0)
    assert ask.fate().how == "differs"


def test_an_interrupted_run_goes_on_and_another_grader_begins_afresh(tmp_path):
    fate = start(_zoo(asks=_asks), "def answer(): return 41", 0, ["asks"], 1.0).fate()
    Results("8.5.9", "one", folder=tmp_path).add("m", 0, fate)
    with (tmp_path / "8.5.9.jsonl").open("a") as file:
        file.write('{"state": "one", "id": "cut sho')
    assert Results("8.5.9", "one", folder=tmp_path).fates["m", 0].killed_by == "asks"
    assert Results("8.5.9", "two", folder=tmp_path).fates == {}


def test_the_summary_counts_killed_ones_among_those_that_are_not_equivalent(tmp_path):
    found = [Mutant(f"m{i}", "master", KINDS[i % 6], 1, "", f"-{i}") for i in range(4)]
    results = Results("8.5.9", "one", folder=tmp_path)
    zoo = _zoo(asks=_asks)
    for mutant, answer in zip(found, (41, 42, 42, 43), strict=True):
        text = f"def answer(): return {answer}"
        results.add(mutant.id, 0, start(zoo, text, 0, ["asks"], 1.0).fate())
    results.add_same("m1", True)
    results.add_same("m2", False)
    text = summary("8.5.9", found, results, [0], ["asks"])
    assert "4 mutants, 1 equivalent" in text
    assert "2 of 3 killed, 66.7%" in text
    assert "`m2` survives seeds 0\n" in text and "`m1`" not in text
    assert len((tmp_path / "8.5.9.jsonl").read_text().splitlines()) == 6
    assert all(map(json.loads, (tmp_path / "8.5.9.jsonl").read_text().splitlines()))


def test_an_equivalent_one_that_a_seed_killed_is_dropped_and_listed(tmp_path):
    found = [Mutant(f"m{i}", "master", KINDS[i], 1, "", f"-{i}") for i in range(2)]
    results = Results("8.5.9", "one", folder=tmp_path)
    for id, seed, how in [("m0", 0, "survived"), ("m0", 1, "failed"), ("m1", 0, "failed")]:
        results.add(id, seed, Fate("asks", how, "", 0.0))
    results.add("m1", 1, Fate("asks", "failed", "", 0.0))
    results.add_same("m0", True)
    text = summary("8.5.9", found, results, [0, 1], ["asks"])
    assert "2 mutants, 1 equivalent" in text and "mean kill rate 100.0%" in text
    assert "killed all the same (1)\n- `m0`: killed on seeds 1" in text
