"""docs/why.md and the examples of `--help`: each command runs, each fact is the code's own."""

import gzip
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from radixlab.cli.why import PROFILES as OFFERED
from radixlab.cli.why import why
from radixlab.why.profiles import PROFILES, profile_of
from radixlab.why.report import CAUSES
from tests.test_cli import Run, run
from tests.why.test_command import clean, clocks

__all__ = ["run"]

TEXT = (Path(__file__).parents[2] / "docs" / "why.md").read_text("utf-8")
DOCUMENTED = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
]
SHOWN = [line.strip() for line in (why.epilog or "").splitlines() if "radixlab why" in line]


def timed(log: str) -> str:
    """The same log with a timestamp in each line."""
    return "".join(
        json.dumps(json.loads(line) | {"timestamp": 60 * k}) + "\n"
        for k, line in enumerate(log.splitlines())
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the logs that the commands name."""
    monkeypatch.chdir(tmp_path)
    for name in ("prompts.jsonl", "monday.jsonl"):
        (tmp_path / name).write_text(timed(clocks(6)), "utf-8")
    for name in ("monday.jsonl.gz", "tuesday.jsonl.gz", "day.gz"):
        (tmp_path / name).write_bytes(gzip.compress(timed(clean(6)).encode()))
    return tmp_path


def test_there_are_commands_to_try() -> None:
    assert len(DOCUMENTED) >= 6 and len(SHOWN) >= 5


@pytest.mark.parametrize("line", [*DOCUMENTED, *SHOWN])
def test_a_command_runs(run: Run, folder: Path, monkeypatch: Any, line: str) -> None:
    feeding, pipe, command = line.rpartition("|")
    if pipe:
        (packed,) = re.findall(r"^zcat (\S+) $", feeding)
        unpacked = gzip.decompress((folder / packed).read_bytes())
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(unpacked)))
    if "--tokenizer" in command:
        pytest.importorskip("tokenizers", reason="tokenizers is not installed: `model` brings it")
    program, *words = shlex.split(command)
    done = run(*words)
    assert program == "radixlab" and done.code == int("--fail-under" in line and not pipe), done
    assert ": 0 requests" not in done.out and re.search("hit.rate", done.out)


def test_the_lines_of_python_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("anywidget", reason="anywidget is not installed: the extra `lab` does")
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(block, "docs/why.md", "exec"), {})


def test_every_cause_has_an_example_and_no_other() -> None:
    section = TEXT.partition("## Causes")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(CAUSES)


def test_the_profiles_are_those_of_the_code() -> None:
    section = TEXT.partition("## Profiles")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d,–]+)[^|]* \| (\d+) \|", section, re.MULTILINE)
    told = {
        name: (int(least.replace(",", "").replace("–", "0")), int(step))
        for name, least, step in rows
    }
    assert list(told) == list(OFFERED) == list(PROFILES)
    for name, profile in PROFILES.items():
        assert told[name] == (
            profile.minimum,
            max(profile.step, profile.block_size if not profile.minimum else 1),
        )
    assert profile_of(None).block_size == 16


@pytest.mark.parametrize(
    "model, least",
    [("claude-opus-4-5", 4096), ("claude-opus-4.6", 4096), ("claude-haiku-4-5-20251001", 4096),
     ("claude-sonnet-4-6", 2048), ("claude-3-5-haiku-latest", 2048), ("claude-sonnet-4-5", 1024)],
)  # fmt: skip
def test_anthropics_least_prefix_is_the_one_of_the_page(model: str, least: int) -> None:
    assert PROFILES["anthropic"].minimum_for((("model", model),)) == least


def test_every_option_of_the_page_is_an_option() -> None:
    options = {
        name for option in why.params for name in option.opts if isinstance(option, click.Option)
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    named -= {"--help", "--log-prompts", "--page-size"}
    assert named <= options
