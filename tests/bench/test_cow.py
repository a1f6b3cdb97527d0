"""The copy-on-write benchmark copies what it says; no time is judged."""

import json

import pytest

from radixlab.bench.cow import CONTEXT_TOKENS, Branches, measure_branches
from radixlab.bench.cow_report import CowReport
from radixlab.cache import check


@pytest.fixture(scope="module")
def report() -> CowReport:
    rows = measure_branches(rounds=2, num_samples=2, block_sizes=(16, 64), forks=(1, 3))
    return CowReport("radixlab bench cow", 2, 2, rows)


def test_every_branch_but_the_last_copies_one_block(report: CowReport) -> None:
    assert [(row.block_size, row.num_forks, row.lazy_blocks) for row in report.rows] == [
        (16, 1, 1), (16, 3, 3), (64, 1, 1), (64, 3, 3),
    ]  # fmt: skip


def test_eager_copies_every_block_of_every_fork(report: CowReport) -> None:
    for row in report.rows:
        assert row.eager_blocks == row.num_forks * (CONTEXT_TOKENS // row.block_size + 1)


def test_a_first_write_is_an_ordinary_one_and_a_copy() -> None:
    "The same sentence as in lesson 04 and in exercise 8.5.2: copy = first - unshared."
    for row in measure_branches(rounds=1, num_samples=2, block_sizes=(16, 64), forks=(1, 3)):
        first, unshared = row.first_us.median, row.unshared_us.median
        assert row.copy_us.median == first - unshared
        assert row.first_over_unshared.median == first / unshared


def test_what_is_timed_as_a_write_moves_the_bytes_too() -> None:
    branches = Branches(block_size=16, num_forks=1)
    parent = branches._start(branches.lazy)
    child = branches.lazy.fork(parent)
    shared = int(parent.block_table[-1])
    branches.store.data[shared] = 5
    assert [len(branches._write(sequence)[1]) for sequence in (parent, child, parent)] == [1, 0, 0]
    assert int(parent.block_table[-1]) != shared
    assert (branches.store.data[parent.block_table[-1]] == 5).all()


def test_samples_leave_both_pools_as_they_were() -> None:
    branches = Branches(block_size=16, num_forks=4)
    samples = [branches.sample() for _ in range(3)]
    check(branches.lazy)
    assert not branches.lazy.sequences and not branches.eager.sequences
    assert branches.lazy.stats().num_cached_blocks == CONTEXT_TOKENS // 16
    assert branches.eager.allocator.num_free == branches.eager.allocator.num_blocks
    assert {sample.lazy_blocks for sample in samples} == {4}


def test_copies_arrive_in_the_store() -> None:
    branches = Branches(block_size=16, num_forks=2)
    branches.store.data[:] = 0
    branches.store.data[CONTEXT_TOKENS // 16] = 5  # the block whose half is shared
    branches.sample()
    assert (branches.store.data == 5).all(axis=(1, 2)).sum() >= 3


def test_all_three_formats_tell_the_same(report: CowReport) -> None:
    rows = json.loads(json.dumps(report.as_json()))["rows"]
    assert [row["copied_bytes"] for row in rows] == [65_536, 196_608, 262_144, 786_432]
    for text in (report.text(), report.markdown()):
        assert "eager ÷ copy-on-write" in text and "never shared" in text
        assert "a copy adds" in text
    assert "`radixlab bench cow`" in report.markdown()
