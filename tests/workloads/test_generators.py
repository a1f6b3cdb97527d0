"""What the seeded generators promise: the same traffic every time, shared as they say."""

import numpy as np
import pytest

from radixlab.config import ConfigError
from radixlab.workloads import GENERATORS, Request


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_gives_the_same_requests(name: str) -> None:
    for one, other in zip(GENERATORS[name](20, 7), GENERATORS[name](20, 7), strict=True):
        assert one.label == other.label
        assert np.array_equal(one.prompt, other.prompt)
        assert np.array_equal(one.output, other.output)


@pytest.mark.parametrize("name", GENERATORS)
def test_another_seed_gives_other_requests(name: str) -> None:
    (one,), (other,) = GENERATORS[name](1, 7), GENERATORS[name](1, 8)
    assert not np.array_equal(one.prompt[:16], other.prompt[:16])


@pytest.mark.parametrize("name", GENERATORS)
def test_asking_for_more_changes_none_of_the_first(name: str) -> None:
    for one, other in zip(GENERATORS[name](5, 0), GENERATORS[name](30, 0), strict=False):
        assert np.array_equal(one.prompt, other.prompt)


@pytest.mark.parametrize("name", GENERATORS)
def test_no_request_is_no_workload(name: str) -> None:
    with pytest.raises(ConfigError, match="num_requests"):
        next(GENERATORS[name](0, 0))


def test_shared_prompt_shares_1024_tokens_and_no_more() -> None:
    requests = list(GENERATORS["shared-prompt"](20, 0))
    assert {request.prompt[:1024].tobytes() for request in requests} == {
        requests[0].prompt[:1024].tobytes()
    }
    assert len({request.prompt[1024:1040].tobytes() for request in requests}) == 20


def test_document_qa_asks_ten_questions_of_a_document() -> None:
    asked: dict[bytes, int] = {}
    for request in GENERATORS["document-qa"](1000, 0):
        start = request.prompt[:4000].tobytes()
        asked[start] = asked.get(start, 0) + 1
    assert max(asked.values()) == 10
    assert 100 <= len(asked) <= 107  # 100 documents' worth of questions, of which 8 may be open


def test_diverse_shares_no_block() -> None:
    starts = {request.prompt[:16].tobytes() for request in GENERATORS["diverse"](200, 0)}
    assert len(starts) == 200


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
