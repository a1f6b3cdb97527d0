"""`%%exercise` in a real kernel: it runs, keeps, grades, and leaves the kernel usable."""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from radixlab.grade.history import History

LOADS = "%load_ext radixlab.grade"
STUB = "%%exercise 8.5.2\ndef benchmark(make_manager, clock, forks, block_sizes):\n    "


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def kernel(home):
    env = os.environ | {"RADIXLAB_HOME": str(home), "RADIXLAB_STATIC": "1"}
    manager, client = start_new_kernel(kernel_name="python3", env=env)
    kernel = Kernel(manager, client, home)
    kernel.run(LOADS)
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


class Kernel:
    def __init__(self, manager, client, home):
        self.manager, self.client, self.home = manager, client, home

    def run(self, source, timeout=60):
        """Run a cell; return all that it showed as one text."""
        shown = []

        def hear(message):
            content = message["content"]
            shown.append(content.get("text") or content.get("data", {}).get("text/plain") or "")
            shown.append("\n".join(content.get("traceback", [])))

        self.client.execute_interactive(source, timeout=timeout, output_hook=hear)
        return "\n".join(filter(None, shown))


def test_a_graded_cell_defines_its_names_in_the_kernel(kernel):
    shown = kernel.run(f"{STUB}raise NotImplementedError\n\n\n...")  # as the stubs end
    assert "Ellipsis" not in shown
    assert "8.5.2 Benchmark copy-on-write overhead: 0 of 15 points" in shown
    assert "benchmark" in kernel.run("print(benchmark.__name__)")


def test_a_graded_cell_is_kept_before_it_runs(kernel, home):
    kernel.run("%%exercise 8.5.2 report\nimport os, sys\nif 'ipykernel' in sys.modules: x = 1 / 0")
    sources = [p.source for p in History("8.5.2", home).versions()[-1].submission.parts]
    assert sources[-1].startswith("import os, sys")


def test_a_kept_version_is_told_what_it_earned(kernel, home):
    kernel.run(f"{STUB}return 4")
    assert History("8.5.2", home).versions()[-1].points == 0


def test_a_syntax_error_is_told_once(kernel):
    shown = kernel.run("%%exercise 8.5.4\nx = (")
    assert shown.count("Your code raised") == 1


def test_a_note_behind_the_id_is_one_line(kernel):
    shown = kernel.run("%%exercise 8.5.2 my samples\nx = 1")
    assert "only the name of a part may stand behind the id, not 'my samples'" in shown


def test_progress_is_kept(kernel, home):
    kernel.run(f"{STUB}return 3")
    assert json.loads((home / "progress.json").read_text())["8.5.2"]["points"] == 0


def test_a_home_that_cannot_be_written_costs_a_line_and_no_report(kernel, home):
    kernel.run(f"import os; os.environ['RADIXLAB_HOME'] = {str(home / 'progress.json')!r}")
    shown = kernel.run(f"{STUB}return 5")
    kernel.run(f"os.environ['RADIXLAB_HOME'] = {str(home)!r}")
    assert "This version could not be kept: Not a directory" in shown
    assert "8.5.2 Benchmark copy-on-write overhead: 0 of 15 points" in shown


def test_an_unknown_exercise_is_one_line(kernel):
    shown = kernel.run("%%exercise 9.9.9\nx = 1")
    assert "UsageError" in shown and "9.9.9" in shown and "8.5.2" in shown


ODD_CALLS = "grade_here([])|grade_here()|grade_here(8.5)|grade_here(None)|grade_here({})|hint([])|"
ODD_CALLS += "grade_here('8.5')|grade_here('x' * 10**6)|hint()|hint(8.5)|hint(None)|hint({1: 2})|"
ODD_CALLS += "hint('x' * 10**6)|picture(3)|picture()|picture([])|picture(grade_here)"


@pytest.mark.parametrize("call", ODD_CALLS.split("|"))
def test_an_odd_call_of_a_helper_is_one_clear_line(kernel, call):
    shown = kernel.run(call)
    assert shown.startswith("UsageError: ") and "\n" not in shown.strip()
    assert len(shown) < 1_000
    assert ("8.5.1" in shown) or ("is not a tree" in shown)


def test_hints_come_one_after_the_other(kernel):
    shown = [kernel.run("hint('8.5.2/counts')") for _ in range(4)]
    assert [text.partition(":")[0] for text in shown] == [
        f"8.5.2/counts, hint {number} of 3" for number in (1, 2, 3, 3)
    ]


def test_a_hint_for_what_is_not_there_names_what_is(kernel):
    assert "8.5.2/audit" in kernel.run("hint('8.5.2/nothing')")


def test_the_kernel_can_be_interrupted_and_used_again(kernel):
    loops = f"{STUB}while True:\n        pass"
    threading.Timer(3, lambda: os.kill(kernel.manager.provisioner.pid, signal.SIGINT)).start()
    assert kernel.run(loops) == "8.5.2: interrupted after 0 of 6 items; not graded."
    assert kernel.run("print(6 * 7)").strip() == "42"


def workers(kernel):
    """Processes that grade for this kernel, and the boxes they started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if f"RADIXLAB_HOME={kernel.home}".encode() in (folder / "environ").read_bytes() and (
                b"radixlab.grade.worker" in command
            ):
                found.append(int(folder.name))
    return found


def kill_worker(kernel):
    while not (found := workers(kernel)):
        time.sleep(0.05)
    time.sleep(1)
    for pid in found:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="this system has no /proc")
def test_a_killed_grader_gives_no_points_and_loses_no_line(kernel, home):
    killer = threading.Thread(target=kill_worker, args=(kernel,))
    killer.start()
    shown = kernel.run(f"{STUB}while 'killed':\n        pass")
    killer.join()
    assert (
        "The grader failed here, and that is not your fault: its process ended (SIGKILL)" in shown
    )
    assert "while 'killed'" in History("8.5.2", home).versions()[-1].submission.parts[0].source


def test_a_kernel_that_dies_in_a_graded_cell_loses_no_line(kernel, home):
    dies = "import os, sys\nif 'ipykernel' in sys.modules:\n    os._exit(1)  # the last words"
    kernel.client.execute(f"%%exercise 8.5.2\n{dies}", store_history=False)
    while kernel.manager.is_alive():
        time.sleep(0.05)
    assert "# the last words" in History("8.5.2", home).versions()[-1].submission.parts[0].source
    kernel.manager.restart_kernel(now=True)
    kernel.client.wait_for_ready(timeout=60)
    assert kernel.run("print(6 * 7)").strip() == "42"
