"""What the seeded generators promise: the same traffic every time, made when asked for."""

import inspect
from collections.abc import Iterator
from zlib import crc32

import numpy as np
import pytest

from radixlab.config import ConfigError
from radixlab.workloads import GENERATORS, Request

FIRST_FIVE = {  # of seed 7; no machine and no version of NumPy may change what a seed stands for
    "shared-prompt": 0x1D692740,
    "document-qa": 0xC7C1E08D,
    "diverse": 0x860362AE,
    "multi-turn-chat": 0x7F9B807F,
    "few-shot": 0x0E614867,
    "agent": 0x485D39C1,
    "tree-of-thought": 0x7E226F49,
    "scan-polluted": 0x4867596F,
    "phase-shift": 0x2E568A65,
    "tenants": 0x6A7BF21D,
}


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_gives_the_same_requests(name: str) -> None:
    for one, other in zip(GENERATORS[name](20, 7), GENERATORS[name](20, 7), strict=True):
        assert (one.label, one.namespace) == (other.label, other.namespace)
        assert np.array_equal(one.prompt, other.prompt)
        assert np.array_equal(one.output, other.output)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_seed_stands_for_these_tokens_everywhere(name: str) -> None:
    checksum = 0
    for request in GENERATORS[name](5, 7):
        for tokens in (request.prompt, request.output):
            checksum = crc32(tokens.astype("<i4").tobytes(), checksum)
    assert checksum == FIRST_FIVE[name]


@pytest.mark.parametrize("name", GENERATORS)
def test_another_seed_gives_other_requests(name: str) -> None:
    (one,), (other,) = GENERATORS[name](1, 7), GENERATORS[name](1, 8)
    assert not np.array_equal(one.prompt[:16], other.prompt[:16])


@pytest.mark.parametrize("name", GENERATORS)
def test_asking_for_more_changes_none_of_the_first(name: str) -> None:
    for one, other in zip(GENERATORS[name](5, 0), GENERATORS[name](130, 0), strict=False):
        assert (one.label, one.namespace) == (other.label, other.namespace)
        assert np.array_equal(one.prompt, other.prompt)
        assert np.array_equal(one.output, other.output)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_request_is_made_when_it_is_asked_for(name: str) -> None:
    requests = GENERATORS[name](10**12, 0)
    assert isinstance(requests, Iterator)
    assert next(requests).num_tokens > 0


@pytest.mark.parametrize("name", GENERATORS)
def test_as_many_requests_come_as_are_asked_for(name: str) -> None:
    assert sum(1 for _ in GENERATORS[name](41, 0)) == 41


@pytest.mark.parametrize("name", GENERATORS)
def test_no_request_is_no_workload(name: str) -> None:
    with pytest.raises(ConfigError, match="num_requests"):
        next(GENERATORS[name](0, 0))


@pytest.mark.parametrize("name", GENERATORS)
def test_every_request_has_a_prompt_an_output_and_a_label(name: str) -> None:
    for request in GENERATORS[name](50, 3):
        assert len(request.prompt) and len(request.output) and request.label
        assert request.prompt.min() >= 0 and request.prompt.max() < 128_000


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_says_what_it_does_and_shows_it(name: str) -> None:
    assert ">>> " in (inspect.getdoc(GENERATORS[name]) or "")


def test_two_generators_with_one_seed_share_nothing() -> None:
    names = [name for name in GENERATORS if name not in ("shared-prompt", "document-qa", "diverse")]
    starts = {next(GENERATORS[name](1, 0)).prompt[:16].tobytes() for name in names}
    assert len(starts) == len(names)


def test_a_request_cannot_be_changed_through_the_array_it_was_made_of() -> None:
    prompt = np.arange(4, dtype=np.int32)
    request = Request(prompt, prompt)
    prompt[0] = 99
    assert request.prompt.tolist() == [0, 1, 2, 3]


def test_a_request_takes_int32_in_one_dimension() -> None:
    with pytest.raises(ValueError, match="prompt must be int32"):
        Request(np.zeros(3, np.int64), np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="output must be int32"):
        Request(np.zeros(3, np.int32), np.zeros((3, 1), np.int32))


def test_a_request_belongs_to_everyone_unless_it_says_otherwise() -> None:
    tokens = np.arange(4, dtype=np.int32)
    assert Request(tokens, tokens).namespace is None
    assert Request(tokens, tokens, namespace=("salt", "x")).namespace == ("salt", "x")
