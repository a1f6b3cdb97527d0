"""A judge of its own for each submission: however it ends, it costs those items and says whose
fault that is; nothing of it is left behind."""

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from radixlab.grade.judge_process import JudgeFailed, JudgeProcess, boot_code, remove
from radixlab.grade.judging import judge
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import Part, Submission, read

ROOT = Path(__file__).parents[2]
EX = EXERCISES["8.5.4"]
STUB = Submission(EX.id, (Part(EX.id, None, "raise NotImplementedError", "cell 1"),))
VERDICT = {"status": "passed", "share": 1.0, "message": "", "scenario": "", "expected": None}
VERDICT |= {"actual": None, "steps": [], "notes": []}
FIRST = json.dumps({"item": EX.items[0].id, "verdict": VERDICT})

LIMITED = boot_code().rpartition("from radixlab.grade.worker")[0]
LIMITED += "from radixlab.grade.worker import set_limits\n"

ENDINGS = {
    "an exit": ("import os; os._exit(3)", "its process ended (exit code 3)"),
    "an exit without a word": ("pass", "its process ended (exit code 0)"),
    "a signal": ("import os; os.kill(os.getpid(), 9)", "its process ended (SIGKILL)"),
    "an exception": ("1 / 0", "ZeroDivisionError: division by zero"),
    "an exception that it tells": ('print(\'{"failed": "KeyError: 3"}\')', "KeyError: 3"),
    "a flood in one line": (
        "import sys\nwhile True: sys.stdout.write('x' * 65536)",
        "it wrote 2,097,152 bytes that are not JSON",
    ),
    "a flood of lines": ("while True: print('{}')", "it spoke of None instead of safety"),
    "nonsense": ("print('nonsense')", "it wrote 9 bytes that are not JSON"),
    "bytes that are no text": ("import os; os.write(1, bytes(range(255, 0, -1)))", "not JSON"),
    "a nested line": ("print('[' * 100_000)", "bytes that are not JSON"),
    "a list": ("print('[]')", "it wrote a list"),
    "another item": ('print(\'{"item": "other"}\')', "it spoke of other instead of safety"),
    "half a verdict": (
        'print(\'{"item": "safety", "verdict": {"status": "passed"}}\')',
        "its verdict cannot be read: KeyError",
    ),
    "too much memory": (
        f"{LIMITED}set_limits(60)\nbytearray(8 << 30)",
        "MemoryError",
    ),
    "too much time in one call": (
        f"{LIMITED}set_limits(1)\npow(7, 10**8)",
        "its process ended (SIGXCPU)",
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are of POSIX systems")
@pytest.mark.parametrize(("program", "says"), ENDINGS.values(), ids=ENDINGS)
def test_a_judge_that_ends_too_early_is_ours(program, says):
    report = judge(EX, STUB, program=program)
    assert report.standing == "grader failed" and report.points == 0
    assert {item.verdict.status for item in report.items} == {"not_run"}
    assert says in report.items[0].verdict.message
    assert "that is not your fault" in report.items[0].verdict.message


def test_what_a_judge_said_before_it_died_counts():
    report = judge(EX, STUB, program=f"print({FIRST!r}, flush=True)\nimport os\nos._exit(1)")
    assert [item.verdict.status for item in report.items][:2] == ["passed", "not_run"]
    assert report.points == EX.items[0].points


def test_a_silent_judge_is_ended():
    late = pytest.raises(JudgeFailed, match=r"it said nothing for 0\.2 s")
    with JudgeProcess("import time; time.sleep(1000)", {}, most_lines=1) as process, late:
        process.hear(0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(process.process.pid, 0)


def test_a_judge_ends_with_the_one_who_asked():
    program = boot_code()
    asked = {"exercise": EX.id, "seed": 0, "cpu_s": 60, "parts": []}
    asked["parts"] = [{"name": None, "source": "while True: pass", "place": ""}]
    with JudgeProcess(program, asked, most_lines=9) as process:
        pass  # its pipe is closed
    assert process.process.returncode == 130


def test_no_folder_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deep = "import os\nfor n in range(300):\n    os.mkdir('d')\n    os.chdir('d')\nos._exit(1)"
    judge(EX, STUB, program=f"import os\n{deep}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_however_deep_and_links_are_not_followed(tmp_path):
    (tmp_path / "mine").write_text("kept")
    folder = here = tmp_path / "deep"
    for _ in range(60):
        here.mkdir()
        (here / "file").write_text("x")
        here /= "d" * 40
    (folder / "link").symlink_to(tmp_path, target_is_directory=True)
    remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["heapq", "json", "numpy", "msgpack", "radixlab", "signal"])
def test_a_learners_module_of_a_known_name_is_not_imported(tmp_path, monkeypatch, name):
    (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend("")
    assert judge(EX, STUB).standing == "stub"


BY_SEED = """
import json
asked, verdict = json.loads(input()), VERDICT
for number, item in enumerate(ITEMS):
    share = float(asked["seed"] % 2 == number % 2)
    print(json.dumps({"item": item, "verdict": verdict | {"share": share}}))
print("{}")
"""


def test_several_seeds_count_at_their_worst():
    program = f"VERDICT = {VERDICT!r}\nITEMS = {[item.id for item in EX.items]!r}\n{BY_SEED}"
    points = [judge(EX, STUB, seeds, program=program).points for seeds in ((0,), (1,), (0, 1))]
    assert (sum(points[:2]), points[2]) == (EX.points, 0)


def half_done(exercise, number):
    """The worked solution's first parts, and the stubs of the rest as they are handed out."""
    name = f"{exercise.notebook}.ipynb"
    worked = read(ROOT / "solutions" / name, exercise.id).parts
    stubs = read(ROOT / "exercises" / name, exercise.id).parts
    in_file = Submission(exercise.id, (*worked[:number], *stubs[number:]))
    return in_file, Submission(exercise.id, worked[:number])


@pytest.mark.parametrize(("exercise_id", "number"), [("8.5.3", 2), ("8.5.4", 1)])
def test_a_part_that_is_not_written_takes_nothing_from_those_before_it(exercise_id, number):
    exercise = EXERCISES[exercise_id]
    in_file, in_notebook = (judge(exercise, found) for found in half_done(exercise, number))
    assert in_file.points == in_notebook.points
    assert in_file.without == in_notebook.without or not in_file.points


def test_half_of_the_benchmark_earns_points():
    report = judge(EXERCISES["8.5.2"], half_done(EXERCISES["8.5.2"], 1)[0])
    assert report.points > 0 and report.without == ("report",)


UNKNOWN = "def f():\n    return unknown\n\n\nf()\n"


@pytest.mark.parametrize(("broken", "is_first"), [("def f(:\n", False), (UNKNOWN, True)])
def test_a_part_that_cannot_be_loaded_takes_nothing_from_the_others(broken, is_first):
    exercise = EXERCISES["8.5.4"]
    (lru,) = half_done(exercise, 1)[1].parts
    parts = [lru, Part(exercise.id, "policy", broken, "cell 2")]
    report = judge(exercise, Submission(exercise.id, tuple(parts[::-1] if is_first else parts)))
    assert (report.points, report.without) == (2, ("policy",))
    assert "Your code raised" in report.items[0].verdict.message
