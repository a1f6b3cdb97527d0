"""Every command under every set of extras, far from the checkout: it works, or names the extra."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from radixlab.cli import COMMANDS
from radixlab.extras import MODULES_OF, what_to_install

ROOT = Path(__file__).parents[1]
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "project"
]["optional-dependencies"]
HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""
RUNS = [
    [],
    ["--version"],
    *([name, "--help"] for name in COMMANDS),
    ["lab", "--no-browser"],
    ["start"],
    ["grade"],
    ["grade", "--dir", "."],
    ["history", "8.5.1"],
    ["restore", "8.5.1"],
    ["reset", "8.5.1"],
    ["replay", "shared-prompt", "--limit", "3", "--num-blocks", "500"],
    ["replay", "shared-prompt", "--limit", "3", "--num-blocks", "500", "--dot", "tree.dot"],
    ["replay", "shared-prompt", "--limit", "3", "--num-blocks", "500", "--png", "cache.png"],
    ["replay", "shared-prompt", "--limit", "3", "--num-blocks", "500", "--plot", "race.svg"],
    ["replay", "shared-prompt", "--limit", "3", "--num-blocks", "500", "--html", "run.html"],
    ["why", "support-desk", "--html", "why.html"],
    ["rules"],
    ["rules", "M8"],
    ["bench", "codec", "--quick", "--rounds", "1"],
    ["monitor", "127.0.0.1:1", "--once"],
    ["load", "127.0.0.1:1", "--workload", "agent", "--limit", "2", "--rate", "1"],
]
NEED_TORCH = [["bench", "attention", "--quick"], ["bench", "e2e", "--quick"]]


@pytest.mark.parametrize(("package", "module"), [*MODULES_OF.items(), ("click", "click")])
def test_without_metadata_the_package_is_named_and_not_its_module(package, module, monkeypatch):
    def unknown(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("radixlab.extras.metadata.requires", unknown)
    missing = ModuleNotFoundError(f"No module named {module!r}", name=module)
    assert what_to_install(missing) == f"{module} is not installed: pip install {package}"


def module_of(requirement: str) -> str:
    package = re.match(r"[\w.-]+", requirement)
    assert package
    return MODULES_OF.get(package[0], package[0])


def installed(folder: Path, extras: tuple[str, ...]) -> dict[str, str]:
    """Put the package into a folder as a wheel would; return an environment with these extras."""
    shutil.copytree(
        ROOT / "radixlab", folder / "radixlab", ignore=shutil.ignore_patterns("__pycache__")
    )
    kept = {module_of(r) for extra in extras for r in EXTRAS[extra]}
    hidden = {module_of(r) for requirements in EXTRAS.values() for r in requirements} - kept
    (folder / "sitecustomize.py").write_text(HIDE.format(hidden=hidden))
    named = {key: value for key, value in os.environ.items() if not key.startswith("RADIXLAB_")}
    return named | {"PYTHONPATH": str(folder), "RADIXLAB_HOME": str(folder / "home")}


@pytest.mark.parametrize(
    "extras",
    [(), *(pytest.param((e,), marks=pytest.mark.soak) for e in ("lab", "model"))],
    ids=lambda e: "+".join(e) or "none",
)
def test_every_command_works_or_names_the_extra_that_it_needs(
    tmp_path: Path, extras: tuple[str, ...]
) -> None:
    environment = installed(tmp_path / "site", extras)
    elsewhere = tmp_path / "empty"
    elsewhere.mkdir()
    runs = [words for words in RUNS if not (extras and "--help" in words)]  # these need no extra
    for words in [*runs, *([] if "model" in extras else NEED_TORCH)]:
        done = subprocess.run(
            [sys.executable, "-m", "radixlab", *words],
            cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        told = done.stderr.strip()
        assert done.returncode in (0, 2) and "Traceback" not in told, (words, told)
        if done.returncode:
            assert told.startswith("error: ") and "\n" not in told, (words, told)
        if named := re.findall(
            r"(\w+)(?:, which)? is not installed: pip install 'radixlab\[([\w-]+)\]'", told
        ):
            ((module, extra),) = named
            assert extra not in extras and module in map(module_of, EXTRAS[extra]), (words, told)
        else:
            assert "not installed" not in told and "No module" not in told, (words, told)
        if words[:1] == ["replay"] and not {"--png", "--plot", "--html"} & {*words}:
            assert done.returncode == 0 or "--dot" in words, (words, told)


def test_the_help_of_all_commands_needs_neither_numpy_nor_any_command() -> None:
    program = (
        "import sys, contextlib, radixlab.cli\n"
        "with contextlib.suppress(SystemExit): radixlab.cli.main(['--help'])\n"
        "heavy = {'numpy', 'torch', 'tqdm', 'radixlab.grade', 'radixlab.cache', 'radixlab.viz'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
