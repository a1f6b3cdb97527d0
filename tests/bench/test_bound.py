"""The search for a policy above the bound: it looks where there is something to find."""

import pytest

from radixlab.bench.bound import above_the_bound, bound_races, bound_table, tight_pools
from radixlab.bench.policies import Race
from radixlab.cache.eviction import POLICIES
from radixlab.workloads import GENERATORS, open_workload


@pytest.fixture(scope="module")
def races() -> list[Race]:
    return bound_races(num_requests=40, seeds=[5])


def test_every_policy_runs_on_every_generator_in_two_pools(races: list[Race]) -> None:
    assert [one.workload for one in races] == [name for name in GENERATORS for _ in range(2)]
    assert all(set(one.rates) == {*POLICIES, "belady"} - {"priority"} for one in races)


def test_no_policy_is_above_the_bound(races: list[Race]) -> None:
    assert above_the_bound(races) == []


def test_the_pools_leave_something_to_decide(races: list[Race]) -> None:
    "In at least half of the races the optimum is ahead of all, so the search is not empty."
    ahead = [
        max(r for n, r in one.rates.items() if n != "belady") < one.rates["belady"] for one in races
    ]
    assert sum(ahead) >= len(races) // 2


def test_the_largest_request_fits_every_pool() -> None:
    for name in GENERATORS:
        workload = open_workload(name, 10, 0)
        assert all(
            request.num_tokens <= 16 * num_blocks
            for num_blocks in tight_pools(workload)
            for request in workload.requests()
        )


def test_a_policy_above_the_bound_would_be_told() -> None:
    races = [
        Race("w", 10, {"lru": 0.2, "x": 0.7, "belady": 0.5}),
        Race("w", 20, {"lru": 0.5, "belady": 0.5}),
    ]
    assert above_the_bound(races) == [(races[0], "x")]
    assert bound_table(races).endswith("3 runs, 1 of them above belady")
