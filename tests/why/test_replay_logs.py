"""`radixlab replay` of request logs: what an endless cache finds is what the texts share."""

import gzip
import json
from itertools import pairwise

import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.observe import Recorder
from radixlab.observe.kv_events import RemoteTree
from radixlab.why.examples import CODING_AGENT, SUPPORT_DESK
from radixlab.why.examples.make import coding_agent, log, support_desk
from radixlab.why.reading import read_log
from radixlab.why.workload import is_request_log, open_request_log
from radixlab.workloads import make_manager, replay
from tests.observe.kv.frames import ENGINES, payloads
from tests.test_cli import GOOD, Run, run

__all__ = ["run"]
POOL = ("--num-blocks", "9000")


def test_the_examples_are_what_their_script_makes():
    assert SUPPORT_DESK.read_bytes() == log(support_desk())
    assert gzip.decompress(CODING_AGENT.read_bytes()) == log(coding_agent())


@pytest.mark.parametrize("path", [SUPPORT_DESK, CODING_AGENT], ids=lambda path: path.stem)
def test_an_endless_cache_finds_whole_blocks_of_what_texts_share(path):
    def shared(one, other):
        pairs = zip(one, other, strict=False)
        return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))

    texts, expected = [], []
    for request in read_log(path):
        data = request.text.encode()
        longest = max([shared(data, earlier) for earlier in texts], default=0)
        whole = min(longest // 4, -(-len(data) // 4) - 1) // 16 * 16
        expected.append(whole)
        texts.append(data)
    result = replay(make_manager("lru", CacheConfig(20_000)), open_request_log(path).requests())
    found = [hit for _, hit in result.by_request]
    assert found == expected


def test_a_log_is_replayed_under_every_policy(run: Run):
    done = run("replay", SUPPORT_DESK, *POOL, "--policy", "lru,belady,naive", "--json")
    told = json.loads(done.out)
    rates = {row["policy"]: row["token_hit_rate"] for row in told["runs"]}
    assert rates["lru"] == rates["belady"] > 0.3 > rates["naive"] == 0
    assert "tokens by bytes ÷ 4" in done.err


@pytest.mark.parametrize("path", [SUPPORT_DESK, CODING_AGENT], ids=lambda path: path.stem)
def test_a_log_has_a_summary_and_a_limit(run: Run, path):
    told = json.loads(run("replay", path, "--summary", "--limit", "7", "--json").out)
    assert told["requests"] == 7 and told["prompt_tokens"] > 1000


def test_a_tokenizer_folder_counts_its_own_tokens(run: Run):
    pytest.importorskip("tokenizers", reason="tokenizers is not installed: `model` brings it")
    from radixlab.model.tiny import TINY

    options = ("--summary", "--json", "--limit", "3")
    by_bytes = json.loads(run("replay", SUPPORT_DESK, *options).out)
    done = run("replay", SUPPORT_DESK, *options, "--tokenizer", TINY)
    assert json.loads(done.out)["prompt_tokens"] != by_bytes["prompt_tokens"]
    assert "tokens by weights" in done.err


def test_requests_of_different_models_share_nothing(tmp_path):
    path = tmp_path / "log.jsonl"
    rows = [{"prompt": "x" * 999, "model": model} for model in "aabb"]
    path.write_text("\n".join(map(json.dumps, rows)))
    result = replay(make_manager("lru", CacheConfig(900)), open_request_log(path).requests())
    assert [bool(hit) for _, hit in result.by_request] == [False, True, False, True]


def test_token_ids_are_replayed_as_they_are(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(json.dumps({"token_ids": [*range(n)]}) for n in (40, 99, 33)))
    result = replay(make_manager("lru", CacheConfig(900)), open_request_log(path).requests())
    assert result.by_request == ((40, 0), (99, 32), (33, 32))


def test_lines_that_cannot_be_read_are_noted(run: Run, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(['{"prompt": "abc"}', *["{"] * 9, '{"token_ids": [-1]}']))
    done = run("replay", path, *POOL)
    assert done.code == 0 and done.err.count("not JSON") == 5
    assert "10 lines cannot be read in all" in done.err


def test_arrival_times_count_from_the_first_request():
    times = [request.arrival_s for request in open_request_log(SUPPORT_DESK).requests()]
    assert times[0] == 0 and all(a <= b for a, b in pairwise(times))


REFUSED = {
    "strict": (SUPPORT_DESK, ["--strict"], "--strict has no effect on a log of requests"),
    "seed": (SUPPORT_DESK, ["--seed", "1"], "--seed has no effect on a file"),
    "tokenizer": (SUPPORT_DESK, ["--tokenizer", "gpt-4o"], "folder"),
    "generator": ("diverse", ["--tokenizer", "bytes"], "diverse is not a log of requests"),
}


@pytest.mark.parametrize(("trace", "options", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_named(run: Run, trace, options, says):
    done = run("replay", trace, *POOL, *options)
    assert (done.code, done.out) == (2, "") and says in done.err
    assert len(done.err.splitlines()) == 1


def test_traces_are_still_traces(run: Run, tmp_path):
    trace = tmp_path / "trace.jsonl"
    trace.write_text(GOOD)
    assert not is_request_log(trace) and run("replay", trace, *POOL).code == 0
    done = run("replay", trace, *POOL, "--tokenizer", "bytes")
    assert done.code == 2 and "--tokenizer has no effect" in done.err
    trace.write_bytes(gzip.compress(GOOD.encode()))
    done = run("replay", trace, *POOL)
    assert done.code == 2 and "only logs of requests are read as gz" in done.err


def test_a_recording_is_not_a_log_and_that_is_said(run: Run, tmp_path):
    path = tmp_path / "run.jsonl"
    with Recorder(KVCacheManager(CacheConfig(8)), path):
        pass
    done = run("replay", path, *POOL)
    assert done.code == 2 and "is a recording, not a trace: add --html" in done.err


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_watched_of_a_running_engine_becomes_a_page(run: Run, tmp_path, engine):
    path, page = tmp_path / "watched.jsonl", tmp_path / "watched.html"
    tree = RemoteTree(num_blocks=48, block_size=4)
    with Recorder(tree, path):
        for seq, payload in payloads(engine)[:60]:
            tree.feed(payload, seq)
    assert run("replay", path, "--html", page).code == 0
    assert page.stat().st_size > 50_000
    done = run("replay", path, "--html", page, "--policy", "lru")
    assert done.code == 2 and "--policy has no effect on a recording" in done.err
