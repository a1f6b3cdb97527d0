"""`radixlab doctor`: it finds what is there and what is broken, and nothing can make it crash."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from radixlab.cli import COMMANDS
from radixlab.doctor import Finding, as_json, as_text, examine, lessons_can_run, summary
from radixlab.doctor.parts import ALL_LESSONS, NOTEBOOK_MODULES, PARTS, Lacking, Part
from radixlab.extras import MODULES_OF

ROOT = Path(__file__).parents[1]
THIRD_PARTY = ("numpy", "torch", "pygraphviz", "jupyterlab", "triton", "transformers", "playwright")
FAULTS = {
    "is broken": "raise RuntimeError('two\\nlines')",
    "lacks a library": "raise OSError('libcudart.so.13: cannot open shared object file')",
    "lacks another package": "import no_such_package",
    "ends the program": "import sys; sys.exit('no licence')",
    "is an empty file": "",
    "asserts": "assert False",
    "is no Python": "def (",
}


def doctor(folder: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process in which `folder` comes first among the packages."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "RADIXLAB_HOME": str(folder / "home"),
        **({} if path is None else {"PATH": path}),
    }
    command = [sys.executable, "-m", "radixlab", "doctor", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("fault", FAULTS)
def test_packages_that_fail_in_any_way_are_findings(fault: str, tmp_path: Path) -> None:
    for module in THIRD_PARTY:
        (tmp_path / f"{module}.py").write_text(FAULTS[fault])
    done = doctor(tmp_path, "--json")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    told = json.loads(done.stdout)
    states = {part["part"]: part["state"] for part in told["parts"]}
    assert list(states) == [part.name for part in PARTS]
    assert {states[name] for name in ("NumPy", "torch", "Graphviz", "GPU")} == {"missing"}
    assert states["Python"] == states["cores"] == "ok" and told["lessons_can_run"] is False
    assert all(part["what"] and "\n" not in part["what"] for part in told["parts"])


def test_a_bare_machine_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {(*THIRD_PARTY, *NOTEBOOK_MODULES)!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    done = doctor(tmp_path, path="")
    assert done.returncode == 1 and not done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(PARTS) + 1 and lines[-1].startswith("Cannot run yet: all lessons (")
    assert all(line.startswith(("ok ", "missing ")) for line in lines[:-1])
    for module in ("numpy", "torch", "pygraphviz", "triton"):
        assert f"{module} is not installed: pip install" in done.stdout
    for words in ("no Chromium", "no C compiler", "anywidget, graphviz, ipykernel"):
        assert words in done.stdout


def test_both_formats_tell_the_same_on_this_machine(tmp_path: Path) -> None:
    findings = examine()
    told = as_json(findings)
    assert told["lessons_can_run"] is lessons_can_run(findings)
    lines = as_text(findings).splitlines()
    for line, finding in zip(lines, findings, strict=False):
        assert line.split()[0] == ("ok" if finding.ok else "missing")
        assert line.endswith(finding.what) and finding.what
    assert lines[-1] == summary(findings)
    assert next(f for f in findings if f.part == "radixlab").what.endswith("pure Python")


RAISED = (
    *(Lacking("do this"), ImportError("x"), OSError(5, "io"), SystemExit(3), RecursionError()),
    *(MemoryError(), AssertionError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")),
)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_whatever_a_check_raises_is_its_finding(error: BaseException) -> None:
    def check() -> str:
        raise error

    (finding,) = examine([Part("a part", check, ALL_LESSONS)])
    assert not finding.ok and finding.what and "\n" not in finding.what
    assert summary([finding]) == "Cannot run yet: all lessons (a part)."


def test_ctrl_c_is_not_a_finding() -> None:
    def check() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine([Part("a part", check)])


def test_what_no_lesson_needs_stops_none() -> None:
    findings = [Finding("GPU", False, "none", ""), Finding("Python", True, "3.11", ALL_LESSONS)]
    assert lessons_can_run(findings) and summary(findings) == "All lessons can run."


def test_the_notebook_packages_are_those_of_the_extra() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = settings["project"]["optional-dependencies"]["lab"]
    names = {requirement.partition(">")[0] for requirement in wanted}
    modules = {MODULES_OF.get(name, name) for name in names}
    assert modules - set(NOTEBOOK_MODULES) == {"jupyterlab", "pygraphviz", "nbval"}
    assert set(NOTEBOOK_MODULES) < modules


def test_the_command_is_listed() -> None:
    assert "doctor" in COMMANDS
