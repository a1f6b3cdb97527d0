"""The access log, the file of prompts, and KV events: what is told to whom."""

import json
import stat

import pytest

from radixlab.config import ConfigError
from radixlab.serve.access_log import AccessLog, Entry
from radixlab.serve.settings import Settings
from tests.serve.helpers import SHEET, TEXT, served, wait_until

ASKED = {"model": "tiny", "prompt": TEXT, "temperature": 0, "max_tokens": 3}
TALK = {"model": "tiny", "messages": [{"role": "user", "content": "where?"}], "max_tokens": 2}


def test_a_line_of_json_for_each_request():
    with served(log_json=True) as client:
        for body in (ASKED, {**ASKED, "stream": True}, {**ASKED, "n": 0}):
            client.send("/v1/completions", body)
        client.send("/metrics")
        assert wait_until(lambda: len(client.lines) == 4)
        cold, warm, bad, metrics = map(json.loads, client.lines)
    assert (cold["method"], cold["path"], cold["status"]) == ("POST", "/v1/completions", 200)
    assert cold["cached_tokens"] == 0 and cold["miss_reason"] == "never_seen"
    assert warm["cached_tokens"] == warm["prompt_tokens"] // 16 * 16
    for line in (cold, warm):
        assert line["completion_tokens"] == 3 and line["finish_reason"] == "length"
        assert 0 <= line["queue_s"] <= line["first_token_s"] <= line["total_s"]
        assert line["id"].startswith("cmpl-") and line["time"] > 0
    assert bad["status"] == 400 and metrics["status"] == 200 and "id" not in bad


def test_no_line_has_text_of_a_prompt_or_an_answer():
    with served(log_json=True) as client:
        answer = client.complete(TEXT, max_tokens=12, cache_salt="tenant")["choices"][0]["text"]
        client.send("/v1/completions", {**ASKED, "model": TEXT[:50]})
        client.send("/v1/completions", {**ASKED, TEXT[:50]: 1})
        client.send("/v1/models/forged%0Aline%20x=1")
        assert wait_until(lambda: len(client.lines) == 4)
    for line in client.lines:
        assert TEXT[:20] not in line and answer.split()[0] not in line and "tenant" not in line
        assert "\n" not in line


def test_a_forged_path_cannot_break_a_plain_line():
    with served() as client:
        client.send("/x%0APOST%20/v1/completions%20200")
        assert wait_until(lambda: client.lines)
        assert len(client.lines[0].splitlines()) == 1
        assert client.lines[0].split()[:3] == ["GET", "/x?POST?/v1/completions?200", "404"]


def test_prompts_are_logged_only_to_their_file(tmp_path):
    path = tmp_path / "prompts.jsonl"
    with served(log_prompts=path, api_key="secret") as client:
        bodies = [ASKED, {**ASKED, "stream": True}, {**ASKED, "prompt": [5, 6]}]
        for body in bodies:
            assert client.send("/v1/completions", body)[0] == 200
        assert client.send("/v1/chat/completions", TALK)[0] == 200
        assert client.send("/v1/completions", {**ASKED, "n": 0})[0] == 400
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(lines) == 4 and "secret" not in path.read_text()
    for line, body in zip(lines, [*bodies, TALK], strict=True):
        assert {name: line[name] for name in body} == body
        assert line["usage"]["prompt_tokens_details"]["cached_tokens"] >= 0
        assert line["timestamp"] > 0


def test_a_log_without_anything_known_is_short():
    lines = []
    AccessLog(lines.append).line(Entry("GET", "/", 0.0, 200))
    assert lines == ["GET / 200"]


WRONG = [
    *({name: 0} for name in ("num_blocks", "block_size", "max_queue", "max_body_bytes")),
    *({name: 0} for name in ("max_answers", "max_unread_tokens", "max_model_len")),
    *({"request_timeout": value} for value in (0, -1, float("nan"), float("inf"), "1", True)),
    *({"drain_timeout": value} for value in (0, None)),
    *({"port": value} for value in (-1, 65536, "80")),
    *({"api_key": value} for value in ("", "a\nb")),
    *({"operator_key": value} for value in ("", "a\nb")),
    {"operator_key": "same", "api_key": "same"},
    {"swap_space": -1},
    {"served_model_name": ("",)},
    {"served_model_name": (7,)},
    {"kv_events_replay": "tcp://*:1"},
]


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_a_setting_that_cannot_work_is_named(fields):
    with pytest.raises(ConfigError, match=next(iter(fields)).partition("_")[0]):
        Settings(**fields)


LATE = [{"policy": "best"}, {"device": "tpu"}, {"dtype": "int8"}, {"max_running": 0}]


@pytest.mark.parametrize("fields", [*LATE, {"swap_space": 7}, {"max_model_len": 9999}], ids=str)
def test_a_setting_that_this_model_cannot_have_is_named(fields):
    with pytest.raises(ConfigError, match=next(iter(fields))), served(**fields):
        pass


def test_kv_events_rebuild_what_the_server_has_cached(tmp_path):
    zmq = pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")
    from radixlab.observe.kv_events import RemoteTree

    events, replay = (f"ipc://{tmp_path}/{name}" for name in ("events", "replay"))
    with served(kv_events=events, kv_events_replay=replay) as client:
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.connect(replay)
        try:
            prompts = [SHEET.prompt(fact) for fact in SHEET.facts[:4]]
            ids = [client.send("/tokenize", {"prompt": p})[2]["tokens"] for p in prompts]
            for number, prompt in enumerate(ids):
                salt = {"cache_salt": "x"} if number % 2 else {}
                client.complete(prompt, max_tokens=4, **salt)

            def found():
                tree = RemoteTree()
                socket.send_multipart([b"", (0).to_bytes(8, "big")])
                while True:
                    assert socket.poll(20_000)
                    *_, number, payload = socket.recv_multipart()
                    number = int.from_bytes(number, "big", signed=True)
                    if number < 0:
                        break
                    tree.feed(payload, number)
                spaces = [None, ("salt", "x")] * 2
                pairs = zip(ids, spaces, strict=True)
                return [tree.num_cached_tokens(prompt, space) for prompt, space in pairs]

            wanted = [(len(prompt) - 1) // 16 * 16 for prompt in ids]
            assert wait_until(lambda: found() == wanted), (found(), wanted)
        finally:
            socket.close(linger=0)
