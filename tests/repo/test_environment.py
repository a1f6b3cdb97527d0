import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NAMED = [
    Requirement(r) for r in [*PROJECT["dependencies"], *(r for e in EXTRAS.values() for r in e)]
]
PINS = {
    canonicalize_name(pin.name): pin
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if (text := line.partition("#")[0].strip())
    for pin in [Requirement(text)]
}


def pinned(name):
    (only,) = PINS[canonicalize_name(name)].specifier
    return Version(only.version)


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_every_dependency_is_pinned_within_its_range(named):
    assert pinned(named.name) in named.specifier


def test_pins_are_exact_sorted_and_name_no_place():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    exact = r"[A-Za-z0-9._-]+==([0-9]+!)?[0-9][0-9a-z.]*( ; .+)?"
    assert all(re.fullmatch(exact, pin) for pin in pins)
    assert pins == sorted(pins, key=str.lower)


def closure(names):
    """The installed distributions that these pull in on this machine, without their extras."""
    todo, seen = list(names), {}
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        seen[name] = found.version
        wanted = map(Requirement, found.requires or ())
        todo += [r.name for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return seen


def test_what_those_pull_in_is_pinned_too():
    light = [r.name for r in NAMED if r.name != "torch"]  # what torch pulls in hangs on the build
    assert {name for name in closure(light) if name not in PINS} <= {"pip", "setuptools", "wheel"}


def test_conda_takes_python_and_graphviz_and_pip_the_rest():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    *conda, pip = environment["dependencies"]
    assert {Requirement(entry).name for entry in conda} == {"python", "graphviz", "pip"}
    assert pip == {"pip": ["-c constraints.txt", "-e .[lab,dev,model,serve]"]}


def test_conda_and_pip_agree_on_python_and_on_the_extras():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    python = next(e for e in yaml.safe_load(text)["dependencies"] if str(e).startswith("python"))
    assert Requirement(python).specifier == SpecifierSet(PROJECT["requires-python"])
    asked = re.search(r"-e \.\[(.+)\]", text)[1].split(",")
    assert set(asked) == set(EXTRAS) - {"triton", "oracle", "ray", "smollm"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"EXTRAS ?= {','.join(asked)}\n" in makefile and "-e '.[$(EXTRAS)]'" in makefile


def test_torch_can_be_left_out():
    light = [*PROJECT["dependencies"], *EXTRAS["lab"], *EXTRAS["dev"]]
    names = {Requirement(r).name for r in light}
    assert not names & {"torch", "safetensors", "tokenizers", "transformers", "triton"}


def tracked():
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if run.returncode or not run.stdout:
        pytest.skip("this is no git checkout with committed files")
    return [ROOT / name for name in run.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_learner_state_or_artefact_is_committed():
    inside = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert [p for p in inside if p.startswith(("work/", ".venv/", "tests/artifacts/"))] == []
