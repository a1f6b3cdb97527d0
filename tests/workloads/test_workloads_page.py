"""WORKLOADS.md: every generator has a section, a picture, and figures that still hold."""

import re
import shlex
from pathlib import Path

import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, open_workload, replay

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "benchmarks" / "WORKLOADS.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROWS = re.findall(r"^\| (\S+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)


def picture_command(name: str) -> list[str]:
    (line,) = re.findall(rf"^radixlab replay {name} .*$", SECTIONS[name], re.MULTILINE)
    return shlex.split(line)


def option(command: list[str], name: str, default: int) -> int:
    return int(command[command.index(name) + 1]) if name in command else default


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_has_a_section_and_its_picture(name: str) -> None:
    picture = f"images/workload-{name}.png"
    assert f'<img src="{picture}"' in SECTIONS[name]
    assert (ROOT / "benchmarks" / picture).read_bytes().startswith(b"\x89PNG")
    command = picture_command(name)
    assert command[command.index("--png") + 1] == f"benchmarks/{picture}"


def test_no_section_and_no_picture_is_left_of_a_generator_that_is_gone() -> None:
    pictures = (ROOT / "benchmarks" / "images").glob("workload-*.png")
    assert set(SECTIONS) == set(GENERATORS)
    assert {path.stem.removeprefix("workload-") for path in pictures} == set(GENERATORS)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_pictures_requests_fit_the_pool_that_its_command_names(name: str) -> None:
    command = picture_command(name)
    size, num_blocks = option(command, "--block-size", 16), option(command, "--num-blocks", 0)
    limit, seed = option(command, "--limit", 1000), option(command, "--seed", 0)
    manager = KVCacheManager(CacheConfig(num_blocks=num_blocks, block_size=size))
    result = replay(manager, open_workload(name, limit, seed).requests())
    assert (result.requests, result.rejected_requests) == (limit, 0)
    assert (result.evicted_blocks > 0) == (name == "phase-shift")


@pytest.mark.parametrize("name", GENERATORS)
def test_the_pages_figures_and_the_docstrings_are_what_a_replay_finds(name: str) -> None:
    (figures,) = [row[1:] for row in ROWS if row[0] == name]
    manager = KVCacheManager(CacheConfig(num_blocks=1_000_000))
    result = replay(manager, open_workload(name).requests())
    rate = result.token_hit_rate
    assert figures == (f"{result.prompt_tokens:,}", f"{result.hit_tokens:,}", f"{rate:.6f}")
    assert result.evicted_blocks == 0
    for text in (SECTIONS[name], GENERATORS[name].__doc__ or ""):
        assert f"{rate:.2f}" in text or not rate
