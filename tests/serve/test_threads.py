"""How many threads compute, and that they sleep while they wait for each other."""

import os
import subprocess
import sys

import pytest

from radixlab import openmp
from radixlab.serve import models
from radixlab.serve.models import builder
from radixlab.serve.settings import Settings
from tests.serve.helpers import tiny, torch

DOORS = [
    "from radixlab import LLM",
    "import radixlab.llm",
    "import radixlab.serve.run",
    "import radixlab.serve.local",
    "import radixlab.lesson.props.production",
    "import radixlab.model.loader",
    "import radixlab.attention",
]
SAY = "import os; from radixlab import openmp; print(openmp.COMES_FIRST, os.environ[{!r}])"


def python(code, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "door", [pytest.param(door, marks=pytest.mark.soak) for door in DOORS[1:]] + DOORS[:1]
)
def test_threads_sleep_while_they_wait_whatever_is_imported_first(door):
    assert python(f"{door}; {SAY.format('OMP_WAIT_POLICY')}") == ["True", "PASSIVE"]


def test_a_policy_that_was_chosen_stays():
    code = f"import radixlab.openmp; {SAY.format('OMP_WAIT_POLICY')}"
    assert python(code, OMP_WAIT_POLICY="ACTIVE") == ["True", "ACTIVE"]


def test_too_late_is_known():
    code = "import sys; sys.modules['torch'] = sys; from radixlab import openmp"
    assert python(f"{code}; import os; print('OMP_WAIT_POLICY' in os.environ)") == ["False"]


def test_one_core_is_left_to_the_event_loop(monkeypatch):
    _, model = tiny()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert models.num_threads(model) == 1
    monkeypatch.setattr(models, "SMALL_MODEL", 0)
    for num_cores in (1, 2, 3, 64):
        monkeypatch.setattr(models, "num_cores", lambda num=num_cores: num)
        assert models.num_threads(model) == max(1, num_cores - 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert models.num_threads(model) == torch.get_num_threads()


def test_the_cores_are_those_that_the_process_may_use():
    assert 1 <= openmp.num_cores() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_the_setting_decides_and_is_said(num_threads):
    builder(Settings(num_blocks=16, threads=num_threads))()
    try:
        words = "1 thread" if num_threads == 1 else f"{num_threads} threads"
        assert torch.get_num_threads() == num_threads
        assert models.threads() == f", {words} of PyTorch,"
    finally:
        torch.set_num_threads(1)
