"""Lines of a trace that contradict themselves: said once for each kind, counted, or refused."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from radixlab.workloads import TraceError, TraceWarning, conversation_trace, open_workload
from radixlab.workloads.doubts import Doubts, TraceRecord

MORE, FEWER = "more hash_ids than input_length has blocks", "is more than the hash_ids stand for"
TWICE, BACK = "a hash id twice", "timestamps go back"


def line(timestamp=0, input_length=600, ids=(3, 9)) -> dict:
    lengths = {"input_length": input_length, "output_length": 1}
    return {"timestamp": timestamp, **lengths, "hash_ids": list(ids)}


def trace(folder: Path, *lines: dict) -> str:
    path = folder / "trace.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return str(path)


DOUBTFUL = {
    "two ids for 5000": (line(0, 5000), FEWER, 1024),
    "an id too few by one token": (line(0, 1025), FEWER, 1024),
    "five ids for 10": (line(0, 10, range(5)), MORE, 10),
    "an id too many": (line(0, 512), MORE, 512),
    "an id twice": (line(0, 600, (3, 3)), TWICE, 600),
    "an id twice, apart": (line(0, 1500, (3, 4, 3)), TWICE, 1500),
}
SOUND = {
    "the least": line(0, 1, [0]),
    "one block": line(0, 512, [7]),
    "a block and a token": line(0, 513, [7, 8]),
    "two blocks": line(0, 1024, [7, 8]),
    "at the same time": line(0, 600),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_doubtful_line_is_said_once_and_counted(tmp_path, name):
    doubtful, kind, num_tokens = DOUBTFUL[name]
    path = trace(tmp_path, line(), doubtful, line(), doubtful, doubtful)
    with pytest.warns(TraceWarning) as caught:
        workload = open_workload(path)
    assert (len(caught), workload.num_contradictions) == (1, 3)
    (note,) = map(str, workload.notes)
    assert str(caught[0].message) == note
    assert note.startswith("3 lines") and kind in note and f"{path}, line 2: " in note
    assert len(list(workload.requests())[1].prompt) == num_tokens


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_strict_reader_refuses_it(tmp_path, name):
    doubtful, kind, _ = DOUBTFUL[name]
    path = trace(tmp_path, line(), doubtful)
    with pytest.raises(TraceError, match=rf"line 2: .*{kind}"):
        open_workload(path, strict=True)
    assert open_workload(path, limit=1, strict=True).num_requests == 1


def test_time_goes_forward(tmp_path):
    path = trace(tmp_path, line(5), line(9), line(8), line(8), line(9))
    with pytest.warns(TraceWarning, match=f"2 lines .*: {BACK}; first in .* line 3: 8 ms"):
        assert open_workload(path).num_contradictions == 2
    with pytest.raises(TraceError, match="line 3"):
        open_workload(path, strict=True)


def test_a_line_with_two_faults_counts_once(tmp_path):
    with pytest.warns(TraceWarning) as caught:
        workload = open_workload(trace(tmp_path, line(9), line(3, 10, (4, 4))))
    assert (len(caught), len(workload.notes), workload.num_contradictions) == (3, 3, 1)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_line_is_not_noted(tmp_path, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_workload(trace(tmp_path, SOUND[name]), strict=True).num_contradictions == 0


def test_lengths_and_ids_agree_exactly_if_the_last_id_is_begun():
    "every length up to 4 blocks against every number of ids"
    for num_tokens in [*range(1, 2050), 2**24]:
        for num_ids in range(1, 6):
            doubts = Doubts()
            doubts.check(TraceRecord(0.0, num_tokens, 1, tuple(range(num_ids))), "here")
            agree = 512 * (num_ids - 1) < num_tokens <= 512 * num_ids
            assert doubts.num_lines == (not agree)


@pytest.mark.parametrize("seed", range(5))
def test_a_generated_trace_is_as_doubtful_as_it_was_made(tmp_path, seed):
    rng, lines, num_doubtful, now = np.random.default_rng(seed), [], 0, 0
    for _ in range(60):
        now += int(rng.integers(0, 50))
        num_ids = int(rng.integers(1, 6))
        one = line(
            now, int(rng.integers(512 * (num_ids - 1) + 1, 512 * num_ids + 1)), range(num_ids)
        )
        how = int(rng.integers(0, 8))
        if how == 0:
            one["input_length"] += 512
        elif how == 1:
            one["hash_ids"].append(99)
        elif how == 2 and num_ids > 1:
            one["hash_ids"][-1] = 0
        num_doubtful += how < 2 or (how == 2 and num_ids > 1)
        lines.append(one)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TraceWarning)
        assert open_workload(trace(tmp_path, *lines)).num_contradictions == num_doubtful


@pytest.mark.skipif(conversation_trace() is None, reason="the production trace is not here")
def test_the_production_trace_is_free_of_doubt():
    "a note on it would be noise"
    assert open_workload(str(conversation_trace()), strict=True).num_contradictions == 0
