"""What the guides say can be done: their code runs, their commands and files exist."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import jsonschema
import pytest
from packaging.specifiers import SpecifierSet

from radixlab.cache.eviction import POLICIES
from radixlab.cli import cli
from radixlab.workloads import GENERATORS
from tests.repo.test_layering import LAYERS

ROOT = Path(__file__).parents[2]
WITH_README = ("deploy", "exercises", "solutions")
GUIDES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(ROOT / f / "README.md" for f in WITH_README)]
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SCREEN = 100
"""Lines of README.md: what a reader sees before scrolling far."""
EXTRAS_CALL = re.compile(r"-e '?\.\[([\w,]+)\]")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def blocks(path, language):
    """The fenced blocks of a language, each with the heading above it."""
    heading, found = "", []
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(rf"^##? ([^\n]*)$|^```{language}\n(.*?)^```", text, re.M | re.S):
        heading = match[1] or heading
        if match[2] is not None:
            found.append(pytest.param(match[2], id=heading or path.stem))
    return found


def commands(path):
    """Every `radixlab …` in a fenced block of shell, and in inline code."""
    text = path.read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.M | re.S))
    lines = re.findall(r"^(?:.*\| )?(radixlab [^|\n#]+)", fenced, re.M)
    return [*lines, *re.findall(r"`(radixlab [^`\n]+)`", text)]


@pytest.fixture
def registries():
    """What a recipe registers is gone after it."""
    kept = [(each, dict(each)) for each in (POLICIES, GENERATORS)]
    yield
    for registry, before in kept:
        registry.clear()
        registry.update(before)


@pytest.mark.parametrize("recipe", blocks(ROOT / "docs" / "instructors.md", "python"))
def test_a_recipe_for_instructors_runs(recipe, registries):
    assert "assert " in recipe
    exec(compile(recipe, "docs/instructors.md", "exec"), {})


@pytest.mark.soak  # it loads a model
@pytest.mark.parametrize("example", blocks(ROOT / "docs" / "tools.md", "python"))
def test_the_example_of_the_library_runs(example, capsys):
    pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
    exec(compile(example, "docs/tools.md", "exec"), {})
    assert "13" in capsys.readouterr().out


def unknown(words):
    """The words of a command that its `--help` does not know."""
    command, rest = cli, words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        if not rest[0].islower():
            return []  # `radixlab COMMAND`
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            return [rest[0]] if command is cli else []
        command, rest = found, rest[1:]
    known = {name for each in command.params for name in each.opts + each.secondary_opts}
    known |= {"--help", "--version", "-h"}
    lenient = command.context_settings.get("ignore_unknown_options")
    return [w for w in rest if w.startswith("--") and w.partition("=")[0] not in known | {lenient}]


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_every_command_of_a_guide_exists_with_its_options(guide):
    wrong = {line: bad for line in commands(guide) if (bad := unknown(shlex.split(line)))}
    assert wrong == {}


@pytest.mark.parametrize("line", ["radixlab grad", "radixlab grade --all", "radixlab why --hmtl x"])
def test_a_command_that_does_not_exist_is_seen(line):
    assert unknown(shlex.split(line))


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_every_target_of_make_and_every_named_file_exists(guide):
    text = guide.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.M))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    named = re.findall(r"`((?:radixlab|tests|docs|benchmarks|deploy)/[\w./-]+)`", text)
    new = ("/ex6", "ex6_count_blocks")  # what a recipe tells the reader to make
    named = [path for path in named if not any(part in path for part in new)]
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_links_of_a_guide_lead_somewhere(guide):
    text = re.sub(r"^```.*?^```", "", guide.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|srcset=\"([^\"]+)\"|src=\"([^\"]+)\"", text)
    local = [target for group in targets for target in group if target and ":" not in target]
    assert [target for target in local if not (guide.parent / target).exists()] == []


def test_readme_is_one_screen_and_lists_every_part_in_the_order_of_the_imports():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= SCREEN
    listed = re.findall(r"^  (\w+)(?:/|\.py)  ", text, re.M)
    parts = [each for each in LAYERS if any((ROOT / "radixlab").glob(f"{each}*"))]
    assert set(parts) - set(listed) <= {"openmp"}
    assert [each for each in listed if each in LAYERS[:-1]] == [
        each for each in parts if each in listed and each != LAYERS[-1]
    ]


def linked(path):
    """The files that a guide links to."""
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    return {(path.parent / target).resolve() for target in targets if ":" not in target}


def test_every_notebook_is_linked_from_readme_and_every_guide_from_another():
    readme = ROOT / "README.md"
    notebooks = {*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("exercises/*.ipynb")}
    assert notebooks <= linked(readme)
    found = set().union(*map(linked, GUIDES))
    folders = {path.parent for path in GUIDES if path.parent.name in WITH_README}
    lost = {path for path in GUIDES if path not in found and path.parent not in folders}
    assert lost <= {readme}


def test_a_class_is_graded_as_the_guide_says(tmp_path):
    (tmp_path / "class" / "bob").mkdir(parents=True)
    shutil.copytree(ROOT / "exercises", tmp_path / "class" / "ada")
    words = ["grade", "8.5.1", "--dir", "class", "--seed", "1234", "--csv", "points.csv"]
    command = [sys.executable, "-m", "radixlab", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    rows = (tmp_path / "points.csv").read_text(encoding="utf-8").splitlines()
    assert done.returncode == 1 and [row.split(",")[0] for row in rows] == ["learner", "ada", "bob"]
    assert all(",1234," in row for row in rows[1:])
    assert ",stub," in rows[1] and ",not handed in," in rows[2]


# ---- Binder and dev containers: not run here, so their files are compared with ours


def extras_of(text):
    found = EXTRAS_CALL.search(text)
    return set(found[1].split(","))


def test_binder_installs_pinned_versions_of_our_extras_on_our_python():
    script = ROOT / "binder" / "postBuild"
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111 and text.startswith("#!/usr/bin/env bash\n")
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    assert "-c constraints.txt" in text
    assert extras_of(text) == {"lab", "model", "serve"} <= set(PROJECT["optional-dependencies"])
    name, _, version = (ROOT / "binder" / "runtime.txt").read_text().strip().partition("-")
    assert name == "python" and version in SpecifierSet(PROJECT["requires-python"])
    called = re.findall(r"^radixlab (\w+)", text, re.M)
    assert called and not [word for word in called if unknown(["radixlab", word])]


# The part of the dev-container schema that is used here (containers.dev/implementors/json_schema).
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string", "pattern": r"^[\w./-]+:[\w.-]+$"},
        "containerEnv": {"type": "object", "additionalProperties": {"type": "string"}},
        "postCreateCommand": {"type": ["string", "array", "object"]},
        "forwardPorts": {"type": "array", "items": {"type": "integer", "maximum": 65_535}},
        "portsAttributes": {
            "type": "object",
            "patternProperties": {
                r"^\d+(-\d+)?$": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"label": {"type": "string"}},
                }
            },
            "additionalProperties": False,
        },
        "hostRequirements": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpus": {"type": "integer", "minimum": 1},
                "memory": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
                "storage": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
            },
        },
        "customizations": {"type": "object"},
    },
}


def container():
    return json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


def test_the_dev_container_is_valid_and_agrees_with_the_project():
    found = container()
    jsonschema.validate(found, SCHEMA)
    assert found["image"].rpartition(":")[2] in SpecifierSet(PROJECT["requires-python"])
    command = found["postCreateCommand"]
    assert "-c constraints.txt" in command
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert extras_of(command) == set(re.search(r"^EXTRAS \?= (\S+)", makefile, re.M)[1].split(","))
    for step in command.split(" && "):
        assert not step.startswith("radixlab ") or unknown(shlex.split(step)) == []
    for port, about in found["portsAttributes"].items():
        assert int(port) in found["forwardPorts"]
        assert unknown(shlex.split(about["label"].partition(": ")[2])) == []


def test_a_wrong_dev_container_is_seen():
    for wrong in (
        {"images": "python:3.11"},
        {"image": 3},
        container() | {"forwardPorts": ["8888"]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


def test_the_guides_say_what_is_not_run_here():
    text = (ROOT / "docs" / "set-up.md").read_text(encoding="utf-8")
    for name in ("Binder", "Dev containers"):
        (line,) = [row for row in text.splitlines() if row.startswith(f"- **{name}**")]
        assert "Not run here" in line
