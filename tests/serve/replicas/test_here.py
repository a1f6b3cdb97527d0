"""The benchmark of replicas as a notebook runs it: on this machine, or with the reason why not."""

import importlib.util
import subprocess
import sys

import pytest

from radixlab.bench import replicas_here as here

IN_A_PROCESS = """
import sys
from radixlab.bench import replicas_here as here
if __name__ == "__main__":
    print(here.replicas_here())
"""


def test_a_published_lesson_runs_no_cluster(monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    assert str(here.replicas_here()).startswith("Not run here: ")


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    monkeypatch.setattr(here, "find_spec", lambda name: None)
    assert here.replicas_here() == "Not run: ray is not installed: pip install 'radixlab[ray]'"


def fails(parent, folder):
    parent.send(("total", 3))
    parent.send(("step", 1))
    parent.send(("error", "OSError: no sockets here"))


def dies(parent, folder):
    parent.send(("total", 3))
    sys.exit(1)


@pytest.mark.parametrize(
    ("measure", "reason"),
    [
        (fails, "Not measured: OSError: no sockets here"),
        (dies, "Not measured: the process ended without a word"),
    ],
)
def test_a_cluster_that_fails_is_a_line(monkeypatch, measure, reason):
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    monkeypatch.setattr(here, "find_spec", lambda name: object())
    assert here.replicas_here(measure) == reason


@pytest.mark.soak
@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="no Ray: the extra `ray`")
def test_it_measures_a_cluster_of_this_machine(tmp_path):
    script = tmp_path / "lesson.py"
    script.write_text(IN_A_PROCESS)
    run = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert run.stdout.startswith("measured just now on a real Ray cluster"), run.stderr
    assert (
        "prefix, by events" in run.stdout and "replicas that died                  1" in run.stdout
    )
    assert max(map(len, run.stdout.splitlines())) <= 90
    running = subprocess.run(["pgrep", "-f", "radixlab-ray-"], capture_output=True, text=True)
    assert not running.stdout
