"""Contenders in processes of their own: asked in turn, fit or refused, weighed when new."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest

from radixlab.bench import worker
from radixlab.bench.builds import (
    BuildError,
    Worker,
    as_entry,
    compiled_worker,
    fit,
    silent_folder,
)
from radixlab.bench.contenders import FLOOR, OURS
from radixlab.bench.memory import FAMILY_BLOCKS, documents, measure_memory
from radixlab.bench.memory_report import YARDSTICK, MemoryRow, memory_json, memory_table
from radixlab.bench.tree import measure_trace
from radixlab.bench.tree_report import with_compiled
from radixlab.build import COMPILED, PURE, source_digest
from radixlab.config import CacheConfig
from radixlab.workloads import open_workload

LIMIT = 20


def answers(*turns: dict[str, object]) -> list[dict[str, object]]:
    asked, told = StringIO("".join(json.dumps(turn) + "\n" for turn in turns)), StringIO()
    worker.answer("shared-prompt", LIMIT, asked, told)
    return [json.loads(line) for line in told.getvalue().splitlines()]


def turn(is_cold: bool = False) -> dict[str, object]:
    return {"num_blocks": 2_000, "block_size": 16, "is_cold": is_cold}


def test_a_worker_says_who_it_is_and_finds_what_the_replay_finds() -> None:
    who, warm, cold = answers(turn(), turn(is_cold=True))
    assert who == {"build": PURE, "source": source_digest(), "requests": LIMIT}
    timing = OURS.replay(CacheConfig(2_000), open_workload("shared-prompt", LIMIT))
    assert warm["token_hit_rate"] == cold["token_hit_rate"] == timing.token_hit_rate > 0.5


def test_a_python_without_the_compiled_build_does_not_take_part() -> None:
    with (
        pytest.raises(BuildError, match=f"the cache of that Python is {PURE}|its process ended"),
        compiled_worker(Path(sys.executable), "shared-prompt", LIMIT),
    ):
        pass


def test_the_build_without_events_is_looked_for_beside_the_other(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    assert silent_folder(None) is silent_folder(python) is None
    site = tmp_path / "silent" / "site"
    site.mkdir(parents=True)
    assert silent_folder(python) == site


def test_a_worker_can_run_the_package_of_another_folder(tmp_path: Path) -> None:
    (tmp_path / "radixlab").mkdir()
    (tmp_path / "radixlab" / "__init__.py").write_text("raise ImportError('from the folder')")
    with (
        pytest.raises(BuildError, match="from the folder"),
        compiled_worker(Path(sys.executable), "shared-prompt", LIMIT, tmp_path),
    ):
        pass


class Introduced(Worker):
    """A worker that has said this of itself."""

    def __init__(self, **who: object) -> None:
        self.who = who


def test_only_the_compiled_build_of_these_sources_is_fit() -> None:
    good = Introduced(build=COMPILED, source=source_digest())
    assert fit(good) is good
    for build, source, why in (
        (PURE, source_digest(), PURE),
        (COMPILED, "0" * 64, "other sources"),
    ):
        with pytest.raises(BuildError, match=why):
            fit(Introduced(build=build, source=source))


@pytest.mark.parametrize("fast", [None, Path("no-such-python"), Path(sys.executable)])
def test_a_build_that_cannot_run_is_a_line_of_the_report(fast: Path | None, monkeypatch) -> None:
    monkeypatch.setattr("radixlab.bench.tree_report.fast_python", lambda: None)
    not_run: dict[str, str] = {}
    with with_compiled(fast, LIMIT, not_run) as compiled:
        assert compiled is None
    ((name, why),) = not_run.items()
    assert COMPILED in name and why and "\n" not in why


def test_a_contender_elsewhere_takes_its_turns_and_all_are_divided_by_it() -> None:
    class Answering(Introduced):
        def replay(self, config: CacheConfig, is_cold: bool) -> object:
            return OURS.replay(config, workload)

    workload = open_workload("shared-prompt", LIMIT)
    entry = as_entry(Answering())
    rows = measure_trace(workload, rounds=2, pools=(2_000,), is_cold=True, compiled=entry)
    assert [row.contender for row in rows] == [OURS.name, entry.name, FLOOR.name]
    itself = rows[1].over_compiled
    assert itself and (itself.low, itself.high) == (1.0, 1.0)
    assert rows[0].token_hit_rate == rows[1].token_hit_rate


# ---- memory


def test_the_documents_fill_exactly_the_blocks_that_are_counted() -> None:
    config = CacheConfig(4 * FAMILY_BLOCKS + 100)
    manager = OURS.make(config, open_workload("shared-prompt", 1))
    for request in documents(2 * FAMILY_BLOCKS + 7):
        manager.serve(manager.prepare(request))
    assert manager.manager.tree.num_blocks == 2 * FAMILY_BLOCKS


def test_our_memory_is_measured_in_new_processes_and_is_more_than_the_tokens_alone() -> None:
    rows, failed = measure_memory([OURS.name], num_blocks=10 * FAMILY_BLOCKS)
    assert not failed and rows[0].num_blocks == 10 * FAMILY_BLOCKS
    assert 64 < rows[0].traced_bytes < 1_000


def test_who_cannot_be_measured_is_named() -> None:
    rows, failed = measure_memory(["nobody"], num_blocks=FAMILY_BLOCKS)
    assert rows == [] and "nobody" in failed["nobody"]


def test_the_goal_is_a_quarter_of_vllms() -> None:
    rows = [MemoryRow(OURS.name, 400, 90.0, 91.0), MemoryRow(YARDSTICK, 400, 400.0, 390.0)]
    assert memory_table(rows)[1][0][-2:] == ["0.23", "÷ vLLM ≤ 0.25: met"]
    assert [row["goal"] for row in memory_json(rows)] == ["÷ vLLM ≤ 0.25: met", None]
    assert memory_table(rows[:1])[1][0][-2:] == ["", ""]
