"""Rules of the trace reader, and of how hash ids become tokens."""

import json
from pathlib import Path

import numpy as np
import pytest

from radixlab.cache.splitmix import splitmix64
from radixlab.workloads import (
    TraceError,
    TraceWarning,
    conversation_trace,
    read_records,
    read_requests,
)
from radixlab.workloads.mooncake import MAX_LINE_BYTES, expand_hash_ids, fresh_tokens

GOOD = {"timestamp": 1500, "input_length": 600, "output_length": 7, "hash_ids": [3, 9]}


def write(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"".join(as_bytes(line) + b"\n" for line in lines))
    return path


def as_bytes(line: object) -> bytes:
    return line if isinstance(line, bytes) else json.dumps(line).encode()


def without(key: str) -> dict[str, object]:
    return {k: v for k, v in GOOD.items() if k != key}


def splitmix64_of_one(counter: int) -> int:
    """The definition in Python's own integers, as the oracle of the vectorised one."""
    mask = 2**64 - 1
    z = (counter + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_a_request_has_the_lengths_of_its_line(tmp_path: Path) -> None:
    (request,) = read_requests(write(tmp_path, GOOD))
    assert (len(request.prompt), len(request.output), request.arrival_s) == (600, 7, 1.5)
    assert request.prompt.dtype == request.output.dtype == np.int32


def test_token_j_of_block_h_is_splitmix64_of_its_counter() -> None:
    tokens = expand_hash_ids([3, 9], 600)
    counters = [3 * 512 + j for j in range(512)] + [9 * 512 + j for j in range(88)]
    assert tokens.tolist() == [splitmix64_of_one(c) % 128_000 for c in counters]


def test_splitmix64_gives_the_published_sequence() -> None:
    gamma = 0x9E3779B97F4A7C15  # the generator's n-th output mixes n · gamma
    counters = np.array([0, gamma, 2 * gamma % 2**64], np.uint64)
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert splitmix64(counters).tolist() == published


def test_a_prompt_ends_with_its_hash_ids_where_these_are_shorter(tmp_path: Path) -> None:
    with pytest.warns(TraceWarning, match=r"line 1: 5,000 tokens, 2 ids; .* cut to 1,024"):
        (request,) = read_requests(write(tmp_path, GOOD | {"input_length": 5000}))
    assert len(request.prompt) == 1024


def test_equal_ids_give_equal_tokens_and_others_do_not(tmp_path: Path) -> None:
    first, second = read_requests(write(tmp_path, GOOD, GOOD | {"hash_ids": [3, 8]}))
    assert (first.prompt[:512] == second.prompt[:512]).all()
    assert (first.prompt[512:528] != second.prompt[512:528]).any()


def test_outputs_are_fresh_even_for_equal_lines(tmp_path: Path) -> None:
    first, second = read_requests(write(tmp_path, *[GOOD | {"output_length": 64}] * 2))
    assert (first.output != second.output).any()
    assert not set(map(bytes, blocks(first.output))) & set(map(bytes, blocks(second.output)))


def blocks(tokens: np.ndarray) -> np.ndarray:
    return tokens[: len(tokens) // 16 * 16].reshape(-1, 16)


def test_the_largest_counters_do_not_overflow() -> None:
    last = 2**53 - 1
    assert expand_hash_ids([last], 1).tolist() == [splitmix64_of_one(last * 512) % 128_000]
    expected = splitmix64_of_one(2**63 + 5 * 2**24) % 128_000
    assert fresh_tokens(5, 1).tolist() == [expected]


def test_tokens_are_read_only(tmp_path: Path) -> None:
    (request,) = read_requests(write(tmp_path, GOOD))
    with pytest.raises(ValueError, match="read-only"):
        request.prompt[0] = 1


def test_blank_lines_and_a_byte_order_mark_are_no_faults(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbf" + as_bytes(GOOD), b"", b"  ", GOOD)
    assert len(list(read_requests(path))) == 2


def test_the_limit_stops_before_later_faults(tmp_path: Path) -> None:
    assert len(list(read_requests(write(tmp_path, GOOD, b"broken"), limit=1))) == 1


def test_requests_before_a_fault_are_yielded_first(tmp_path: Path) -> None:
    requests = read_requests(write(tmp_path, GOOD, b"broken"))
    assert next(requests).num_tokens == 607
    with pytest.raises(TraceError, match="line 2"):
        next(requests)


BAD_LINES = {
    "not JSON": (b"{'input_length': 3}", "not JSON"),
    "cut off": (as_bytes(GOOD)[:-5], "not JSON"),
    "nested without end": (b"[" * 100_000, "not JSON"),
    "a number without end": (b'{"timestamp": ' + b"1" * 10_000 + b"}", "not JSON"),
    "not UTF-8": (b'{"timestamp": "\xff"}', "not UTF-8 (byte 15)"),
    "not an object": ([1, 2], "object is expected, not [1, 2]"),
    "no timestamp": (without("timestamp"), "timestamp is missing"),
    "no input_length": (without("input_length"), "input_length is missing"),
    "no output_length": (without("output_length"), "output_length is missing"),
    "no hash_ids": (without("hash_ids"), "hash_ids is missing"),
    "timestamp text": (
        GOOD | {"timestamp": "now"},
        'timestamp must be milliseconds ≥ 0, not "now"',
    ),
    "timestamp NaN": (GOOD | {"timestamp": float("nan")}, "not NaN"),
    "timestamp negative": (GOOD | {"timestamp": -1}, "not -1"),
    "timestamp huge": (GOOD | {"timestamp": 10**400}, "timestamp must be"),
    "length text": (GOOD | {"input_length": "7"}, 'input_length must be an integer, not "7"'),
    "length float": (GOOD | {"input_length": 7.0}, "input_length must be an integer, not 7.0"),
    "length bool": (GOOD | {"output_length": True}, "output_length must be an integer, not true"),
    "length null": (GOOD | {"output_length": None}, "output_length must be an integer, not null"),
    "length zero": (GOOD | {"input_length": 0}, "input_length must be at least 1, not 0"),
    "length negative": (GOOD | {"output_length": -3}, "output_length must be at least 0, not -3"),
    "length huge": (GOOD | {"output_length": 10**12}, "output_length must be at most 16,777,216"),
    "length twice": (
        b'{"timestamp":0,"input_length":9,"output_length":1,"input_length":8,"hash_ids":[1]}',
        '"input_length" is there twice',
    ),
    "ids no list": (GOOD | {"hash_ids": 3}, "hash_ids must be a list, not 3"),
    "ids empty": (GOOD | {"hash_ids": []}, "hash_ids is empty"),
    "id text": (
        GOOD | {"hash_ids": [1, "x"]},
        'hash_ids[1] must be an integer in [0, 2^53), not "x"',
    ),
    "id bool": (GOOD | {"hash_ids": [False]}, "hash_ids[0] must be an integer"),
    "id negative": (
        GOOD | {"hash_ids": [1, -2]},
        "hash_ids[1] must be an integer in [0, 2^53), not -2",
    ),
    "id too large": (GOOD | {"hash_ids": [2**53]}, "not 9007199254740992"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_named_with_its_fault(tmp_path: Path, name: str) -> None:
    line, fault = BAD_LINES[name]
    path = write(tmp_path, GOOD, b"", line)
    with pytest.raises(TraceError) as caught:
        list(read_records(path))
    message = str(caught.value)
    assert message.startswith(f"{path}, line 3: ") and fault in message
    assert "\n" not in message and len(message) < len(str(path)) + 120


def test_a_file_that_is_missing_a_folder_or_empty_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path, write(tmp_path, b"")):
        with pytest.raises(TraceError) as caught:
            list(read_records(path))
        assert str(caught.value).startswith(f"{path}: ")


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, b" " * (MAX_LINE_BYTES + 1))
    with pytest.raises(TraceError, match="line 2: longer than 16,777,216 bytes"):
        list(read_records(path))


def test_the_production_trace_is_looked_for_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXLAB_TRACES", str(tmp_path))
    assert conversation_trace() is None
    (tmp_path / "mooncake_conversation.jsonl").write_bytes(as_bytes(GOOD))
    assert conversation_trace() == tmp_path / "mooncake_conversation.jsonl"
