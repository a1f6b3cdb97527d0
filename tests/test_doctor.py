"""`radixlab doctor`: it finds what is there and what is broken, and nothing can make it crash."""

import json
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from radixlab.cli import COMMANDS, main
from radixlab.doctor import (
    Finding,
    as_json,
    as_text,
    examine,
    lessons_can_run,
    machine,
    packages,
    summary,
)
from radixlab.doctor.packages import NOTEBOOK_MODULES, SERVER_MODULES
from radixlab.doctor.part import ALL_LESSONS, Lacking, Part
from radixlab.doctor.parts import PARTS
from radixlab.extras import MODULES_OF

ROOT = Path(__file__).parents[1]
THIRD_PARTY = ("numpy", "torch", "pygraphviz", "jupyterlab", "triton", "transformers", "playwright")
HIDDEN = (*THIRD_PARTY, *NOTEBOOK_MODULES, *SERVER_MODULES)
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
    assert states["Python"] == states["processor"] == "ok" and told["lessons_can_run"] is False
    assert all(part["what"] and "\n" not in part["what"] for part in told["parts"])


def test_a_bare_machine_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {HIDDEN!r}:\n"
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
    served = settings["project"]["optional-dependencies"]["serve"]
    names = {requirement.partition(">")[0] for requirement in served}
    assert set(SERVER_MODULES) < {MODULES_OF.get(name, name) for name in names}


BAD_HOMES = {
    "a file is in the way": "{file}/radixlab",
    "a device is in the way": "/dev/null/radixlab",
    "nobody may write there": "/proc/radixlab",
    "a user who does not exist": "~no-such-user/radixlab",
}
BAD_HOME = pytest.mark.parametrize("home", BAD_HOMES.values(), ids=BAD_HOMES)


@pytest.fixture
def somewhere(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file"


@BAD_HOME
def test_a_home_that_keeps_nothing_is_a_finding(
    home: str, somewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXLAB_HOME", home.format(file=somewhere))
    (finding,) = examine([part for part in PARTS if part.name == "your folder"])
    assert not finding.ok and "RADIXLAB_HOME" in finding.what
    assert summary([finding]) == "Cannot run yet: all lessons (your folder)."


@BAD_HOME
@pytest.mark.parametrize("words", ["progress", "history 8.5.1", "restore 8.5.1"])
def test_other_commands_end_in_one_line_there(
    home: str,
    words: str,
    somewhere: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RADIXLAB_HOME", home.format(file=somewhere))
    with pytest.raises(SystemExit) as end:
        main(words.split())
    said = capsys.readouterr().err
    assert "Traceback" not in said and said.count("\n") == (end.value.code == 2)
    assert end.value.code == 0 or (end.value.code == 2 and said.startswith("error: "))


@pytest.mark.parametrize("home", ["{file}/x", "/dev/null/x", "/proc/x"])
def test_jupyter_without_a_home_is_a_finding(
    home: str, somewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jupyter_core", reason="JupyterLab is not installed: the extra `lab`")
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, home.format(file=somewhere))
    (finding,) = examine([part for part in PARTS if part.name == "Jupyter's folders"])
    assert not finding.ok and "JupyterLab does not start" in finding.what


def test_packages_that_are_too_old_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"nbformat": "4.4.0", "anywidget": "0.9.9", "pillow": "9.5.0"}
    real = packages.metadata.version
    monkeypatch.setattr(packages.metadata, "version", lambda name: old.get(name) or real(name))
    (finding,) = examine([part for part in PARTS if part.name == "notebook packages"])
    assert not finding.ok and finding.what.endswith("pip install --upgrade 'radixlab[lab]'")
    for words in ("nbformat 4.4.0, 5.10", "anywidget 0.9.9, 0.9.13", "PIL 9.5.0, 10"):
        assert f"{words} is needed" in finding.what


def test_a_port_in_use_is_named_and_stops_no_lesson() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        machine.PORTS[port] = "a test"
        try:
            (finding,) = examine([part for part in PARTS if part.name == "ports"])
        finally:
            del machine.PORTS[port]
    assert finding.ok and f"{port} (a test)" in finding.what and "--port" in finding.what


@pytest.mark.parametrize("limit, told", [("1000000000", "1.0 GB: the"), ("max", "GB"), ("x", "GB")])
def test_a_container_with_little_memory_is_a_finding(
    limit: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(machine, "CGROUP_LIMIT", tmp_path / "memory.max")
    (finding,) = examine([part for part in PARTS if part.name == "memory"])
    assert finding.ok == (limit != "1000000000") and told in finding.what


def test_the_command_is_listed() -> None:
    assert "doctor" in COMMANDS
