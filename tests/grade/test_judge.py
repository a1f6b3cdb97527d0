"""Hostile and broken submissions: each costs the running item alone, and gains nothing."""

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from radixlab.grade.box import Box, BoxError
from radixlab.grade.box.fence import has_filter, landlock_version
from radixlab.grade.items import Exercise, Failed, Item
from radixlab.grade.judge import grade
from radixlab.grade.submission import Part, Submission
from tests.grade.attacks import APPROACHES, CRASHES, FAILURES, FAKES, LOOPS, TRESPASSES


def says(answer):
    def check(trial):
        found = trial.learner.answer(6)
        if found != answer:
            raise Failed(f"expected {answer}, found {found!r}")

    return check


def check_attack(trial):
    trial.learner.attack()
    raise Failed("the attack came back")


HINTS = ("think", "multiply", "return 7 * x")
TOY = Exercise(
    id="8.5.0",
    title="Seven times",
    notebook="ex0_toy",
    items=(
        Item("before", 1, "answer(6) is 42.", says(42), HINTS, ("answer",)),
        Item("attack", 2, "No attack comes back.", check_attack, HINTS, ("attack",)),
        Item("after", 4, "answer(6) is 42 still.", says(42), HINTS, ("answer",)),
    ),
)
ANSWER = "def answer(x):\n    return 7 * x\n"


def submission(source):
    return Submission("8.5.0", (Part("8.5.0", None, textwrap.dedent(source), "cell 1"),))


def judged(attack, limit_s=30.0):
    body = textwrap.indent(textwrap.dedent(attack), "    ")
    before, item, after = TOY.items
    exercise = replace(TOY, items=(before, replace(item, limit_s=limit_s), after))
    report = grade(exercise, submission(f"{ANSWER}\ndef attack():\n{body}"))
    return report, [item.verdict.status for item in report.items]


def processes(judge=None):
    """Those of this process's boxes: other tests may run beside it."""
    mark = f"RADIXLAB_BOX={judge or os.getpid()}-".encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    before = processes()
    yield
    assert processes() <= before


@pytest.mark.skipif(landlock_version() < 4, reason="needs Linux 6.7: Landlock, TCP included")
@pytest.mark.parametrize("attack", TRESPASSES.values(), ids=TRESPASSES)
def test_files_and_hosts_are_out_of_reach(attack):
    report, statuses = judged(attack)
    assert statuses == ["passed", "failed", "passed"]
    assert "Your code raised PermissionError" in report.items[1].verdict.message


@pytest.mark.skipif(not has_filter(), reason="needs Linux on x86-64 or Arm: seccomp")
@pytest.mark.parametrize("attack", APPROACHES.values(), ids=APPROACHES)
def test_processes_are_out_of_reach(attack):
    report, statuses = judged(attack)
    assert statuses == ["passed", "failed", "passed"]
    assert "Your code raised PermissionError" in report.items[1].verdict.message


def test_the_fence_leaves_what_a_submission_needs():
    source = f"""
        import decimal, tempfile, threading, zoneinfo
        import numpy as np
        from radixlab.exercise.tree import Match
        {ANSWER.splitlines()[0]}
            thread = threading.Thread(target=lambda: None)
            thread.start()
            with tempfile.NamedTemporaryFile("w+") as file, open("notes", "w") as notes:
                file.write("7")
                file.seek(0)
                return int(np.multiply(x, int(file.read())))
    """
    assert grade(TOY, submission(source), only=["before"]).points == 1


@pytest.mark.parametrize("attack", CRASHES.values(), ids=CRASHES)
def test_a_crash_costs_the_running_item(attack):
    _, statuses = judged(attack)
    assert statuses == ["passed", "crashed", "passed"]


@pytest.mark.parametrize("attack", FAILURES.values(), ids=FAILURES)
def test_an_error_costs_the_running_item(attack):
    _, statuses = judged(attack)
    assert statuses == ["passed", "failed", "passed"]


@pytest.mark.parametrize("attack", LOOPS.values(), ids=LOOPS)
def test_what_never_ends_costs_the_running_item(attack):
    report, statuses = judged(attack, limit_s=0.4)
    assert statuses == ["passed", "timeout", "passed"]
    assert report.items[1].verdict.message.startswith("Not done after 0.4 s.")


def test_an_endless_loop_is_reported_with_its_line():
    report, _ = judged("x = 1\nwhile x:\n    x += 1", limit_s=0.4)
    step = report.items[1].verdict.steps[0]
    assert (step.label, step.function) == ("<8.5.0>", "attack")
    assert step.code in ("while x:", "x += 1")


@pytest.mark.parametrize("attack", FAKES.values(), ids=FAKES)
def test_a_fake_earns_nothing(attack):
    report, statuses = judged(attack)
    assert report.items[1].points == 0
    assert statuses[0] == "passed"
    assert report.points <= 5


def test_an_object_that_lies_about_everything_is_not_believed():
    source = """
        class Evil:
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __len__(self): return -1
            def __iter__(self): return iter(int, 1)
        def answer(x): return Evil()
    """
    assert grade(TOY, submission(source)).points == 0


def test_the_judges_private_names_are_out_of_reach():
    class Secret:
        _points = 25

    def check(trial):
        trial.learner.answer(Secret())

    item = Item("peek", 1, "No.", check, HINTS, ("answer",))
    exercise = Exercise("8.5.0", "Peek", "ex0_toy", (item,))
    source = "def answer(x):\n    return x._points or x.__class__"
    verdict = grade(exercise, submission(source)).items[0].verdict
    assert (verdict.status, verdict.message) == (
        "failed",
        "Your code raised AttributeError: _points is not for you",
    )


@pytest.mark.parametrize(
    "source", ["", "# nothing yet\n", "def answer(x):\n    raise NotImplementedError\n"]
)
def test_a_stub_earns_nothing_and_is_told_kindly(source):
    report = grade(TOY, submission(source))
    assert report.is_stub and report.points == 0
    assert not any("Traceback" in item.verdict.message for item in report.items)


def test_no_cell_at_all_is_a_stub():
    assert grade(TOY, Submission("8.5.0", ())).is_stub


def test_a_syntax_error_names_its_line():
    report = grade(TOY, submission("x = 1\ndef answer(x:\n    return 42"))
    assert {item.verdict.status for item in report.items} == {"failed"}
    assert "<8.5.0>, line 3" in report.items[0].verdict.message


MAGIC = "%time answer(3)|%timeit -n 9 answer(3)|%matplotlib inline|%%time|%%writefile x.py|!ls|!pip"
MAGIC += (
    " install x|!!ls|x = !ls -l|x = %sx ls|a.b, c[0] = !ls|answer?|answer??|?answer|cd ..|ls *.py|"
)
MAGIC += "pip install numpy|time answer(3)|run other.py|load_ext autoreload|cat x.py"


@pytest.mark.parametrize("indent", ["", "if True:\n    "], ids=["", "indented"])
@pytest.mark.parametrize("line", MAGIC.split("|"))
def test_a_magic_or_a_shell_line_is_called_what_it_is(line, indent):
    source = f"def answer(x):\n    return 42\n{indent}{line}\ny = 1"
    number = source.split("\n").index(f"    {line}" if indent else line) + 2
    report = grade(TOY, submission(source))
    assert [item.verdict.message for item in report.items] == [
        f"Line {number} of <8.5.0> is `{line}`. Magics and shell lines are not Python, so they "
        "cannot be graded: use them in another cell."
    ] * len(report.items)


OTHER = (
    "x = (|def f(:|a = b % c d|x != y z|print 'a'|time = 3 4|a = b c?d|return|x = 'a|cat|*x|if x"
)


@pytest.mark.parametrize("line", OTHER.split("|"))
def test_what_is_wrong_otherwise_is_not_called_a_magic(line):
    report = grade(TOY, submission(f"{line}\n"))
    assert report.points == 0
    assert not any("Magics" in item.verdict.message for item in report.items)


def test_a_submission_that_never_loads_costs_one_limit(monkeypatch):
    monkeypatch.setattr("radixlab.grade.judge.LOAD_LIMIT_S", 0.5)
    report = grade(TOY, submission("while True: pass"))
    assert {item.verdict.status for item in report.items} == {"timeout"}
    assert "line 2 of <8.5.0>: `while True: pass`" in report.items[0].verdict.message


def test_a_loop_around_calls_is_seen_from_outside():
    source = """
        def step(x):
            for _ in range(1_000_000): pass
        def attack():
            while True:
                step(1)
    """
    _, attack, _ = TOY.items
    exercise = replace(TOY, items=(replace(attack, limit_s=0.4),))
    steps = grade(exercise, submission(source)).items[0].verdict.steps
    assert [step.function for step in steps] == ["attack", "step"]
    assert steps[0].code == "step(1)"


def test_a_loop_in_the_way_of_all_items_costs_less_each_time():
    attack = TOY.items[1]
    items = [replace(attack, id=f"attack {n}", limit_s=0.4) for n in range(4)]
    report = grade(
        replace(TOY, items=tuple(items)), submission("def attack():\n    while True: pass")
    )
    limits = [item.verdict.message.split(" Your")[0] for item in report.items]
    assert limits == [f"Not done after {limit} s." for limit in (0.4, 0.2, 0.1, 0.1)]


def test_an_item_that_rests_on_others_is_worth_nothing_without_them():
    before, _, after = TOY.items
    before = replace(before, check=says(43))
    exercise = replace(TOY, items=(before, replace(after, rests_on=("before",))))
    report = grade(exercise, submission(ANSWER))
    assert report.points == 0
    assert report.items[1].verdict.message == "First earn points for one of these: before."
    assert grade(exercise, submission(ANSWER), only=["after"]).points == 4


def test_a_box_that_does_not_start_is_not_the_learners_fault(monkeypatch):
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(BoxError, match="the grader could not start its own process: exit code 1"):
        Box()
    assert before is None or os.sched_getaffinity(0) == before


def test_an_error_says_where_it_was_raised():
    report, _ = judged("return {}['missing']")
    step = report.items[1].verdict.steps[-1]
    assert (step.function, step.code) == ("attack", "return {}['missing']")


def test_only_the_items_asked_for_are_run():
    report = grade(TOY, submission(ANSWER), only=["after"])
    assert [item.id for item in report.items] == ["8.5.0/after"]


def test_parts_share_their_names():
    parts = (
        Part("8.5.0", "one", "SEVEN = 7", "cell 1"),
        Part("8.5.0", "two", "def answer(x):\n    return SEVEN * x", "cell 3"),
    )
    assert grade(TOY, Submission("8.5.0", parts), only=["before"]).points == 1


def test_prints_are_kept_up_to_a_limit():
    source = f"print('hello')\n{ANSWER}"
    assert grade(TOY, submission(source), only=["before"]).printed == "hello\n"


def test_the_judge_runs_on_all_its_cores_afterwards():
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no core affinity")
    before = os.sched_getaffinity(0)
    grade(TOY, submission(ANSWER), only=["before"])
    assert os.sched_getaffinity(0) == before


def test_an_exception_of_ours_is_ours_and_grading_goes_on():
    def check(trial):
        return {}["\x1b[2J"]

    before, item, after = TOY.items
    items = (
        before,
        replace(item, check=check),
        after,
        replace(after, id="on", rests_on=("attack",)),
    )
    report = grade(replace(TOY, items=items), submission(ANSWER + "attack = 0"))
    assert [item.verdict.status for item in report.items] == [
        *("passed", "not_run", "passed", "not_run")
    ]
    assert report.items[1].verdict.message == (
        "The grader failed here, and that is not your fault: KeyError: '\\x1b[2J'."
    )


def test_a_box_that_does_not_start_leaves_every_item_unjudged(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    report = grade(TOY, submission(ANSWER))
    assert {item.verdict.status for item in report.items} == {"not_run"}
    assert "not your fault: the grader could not start its own" in report.items[0].verdict.message


def test_modules_of_the_learners_folder_do_not_reach_the_box(tmp_path, monkeypatch):
    for name in ("heapq", "msgpack", "numpy", "typing", "radixlab"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert grade(TOY, submission(f"import heapq, numpy\n{ANSWER}"), only=["before"]).points == 1


LEVELS = 20_000
RECURSIONS = {
    "calls": "def deep(n): return n and 1 + deep(n - 1)",
    "two calls a level": ("def step(n): return deep(n - 1)\ndef deep(n): return n and 1 + step(n)"),
    "methods": (
        "class Node:\n    def deep(self, n): return n and 1 + Node().deep(n - 1)\n"
        "def deep(n): return Node().deep(n)"
    ),
    "comprehensions": "def deep(n): return n and 1 + [deep(m) for m in [n - 1]][0]",
    "generators": (
        "def steps(n):\n    yield from steps(n - 1) if n else [20_000]\n"
        "def deep(n): return next(steps(n))"
    ),
}


@pytest.mark.parametrize("source", RECURSIONS.values(), ids=RECURSIONS)
def test_a_recursion_over_the_blocks_of_the_longest_key_works(source):
    item = replace(TOY.items[0], check=says_levels, needs=("deep",))
    report = grade(replace(TOY, items=(item,)), submission(source))
    assert report.points == 1, report.items[0].verdict.message


def says_levels(trial):
    found = trial.learner.deep(LEVELS)
    if found != LEVELS:
        raise Failed(f"found {found!r}")


def test_each_item_gets_its_whole_time():
    """The end of a limit that an item just kept must not come over the next one."""
    source = f"""
        import time
        {ANSWER.splitlines()[0]}
            return 7 * x
        def attack(): time.sleep(LIMIT)
    """
    before, item, after = TOY.items
    for extra in (-0.02, 0.02):
        items = tuple(
            part
            for number in range(2)
            for part in (
                replace(
                    item, id=f"sleep {number}", limit_s=0.2, check=lambda t: t.learner.attack()
                ),
                replace(after, id=f"after {number}"),
            )
        )
        text = textwrap.dedent(source).replace("LIMIT", str(0.2 + extra))
        report = grade(replace(TOY, items=(before, *items)), submission(text))
        assert [item.verdict.status for item in report.items[::2]] == ["passed"] * 3
        found = {item.verdict.status for item in report.items[1::2]}
        assert found <= {"passed", "timeout"}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux: affinity")
def test_time_spent_waiting_for_a_core_does_not_count():
    source = """
        import time
        def attack():
            while time.process_time() < 0.4: pass
    """
    core = sorted(os.sched_getaffinity(0))[os.getpid() % len(os.sched_getaffinity(0))]
    busy = f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    item = replace(TOY.items[1], limit_s=0.8, check=lambda trial: trial.learner.attack())
    others = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(4)]
    try:
        report = grade(replace(TOY, items=(item,)), submission(source))
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert report.points == 2, report.items[0].verdict.message


def test_what_is_printed_after_a_failure_is_kept_as_well():
    source = f"""
        print("cells")
        {ANSWER.splitlines()[0]}
            print("answer")
            return 7 * x
        def attack(): print("attack"); raise ValueError
    """
    assert grade(TOY, submission(source)).printed == "cells\nanswer\nattack\nanswer\n"


def test_what_is_printed_is_safe_to_show():
    source = f"print('\\x1b[2J\\u202ebad\\ud800')\n{ANSWER}"
    assert grade(TOY, submission(source), only=["before"]).printed == "\\x1b[2J\\u202ebad?\n"
