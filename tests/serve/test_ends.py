"""How requests and servers end: a client is killed, a server is told to stop, an engine dies."""

import json
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from tests.serve.helpers import TEXT, events_of, idle, served, streaming, wait_until
from tests.serve.program import RAISING, program

LONG = {"max_tokens": 1500, "ignore_eos": True}
KILLED = """
import sys, urllib.request
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), headers)
with urllib.request.urlopen(request) as answer:
    if sys.argv[3] == "stream":
        answer.readline()
    print("reading", flush=True)
    answer.read()
"""


@pytest.mark.parametrize("how", ["stream", "whole"])
def test_a_killed_client_gives_its_blocks_back(how):
    with served() as client:
        is_stream = how == "stream"
        body = {"model": "tiny", "prompt": TEXT, "stream": is_stream, "n": 2, **LONG}
        url = f"{client.url}/v1/completions"
        arguments = [sys.executable, "-c", KILLED, url, json.dumps(body), how]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        try:
            if is_stream:
                assert process.stdout.readline() == b"reading\n"
            assert wait_until(lambda: client.metrics()["num_requests_running"] == 2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        assert wait_until(lambda: idle(client))
        after = client.metrics()
        assert after['request_success_total{finished_reason="abort"}'] == 2
        assert after['blocks{state="in_use"}'] == after["num_requests_running"] == 0
        assert client.complete(TEXT, max_tokens=2)["choices"]
        assert wait_until(lambda: any("finish_reason=abort" in line for line in client.lines))


def test_a_client_that_leaves_the_queue_is_forgotten():
    with served(max_running=1) as client, streaming(client, **LONG):
        with streaming_socket(client, {"prompt": "a", **LONG}):
            assert wait_until(lambda: client.metrics()["num_requests_waiting"] == 1)
        assert wait_until(lambda: client.metrics()["num_requests_waiting"] == 0)
        assert wait_until(lambda: client.server.llm.num_waiting == 0)


def streaming_socket(client, fields):
    """Send a request, and return the connection without reading from it."""
    host, port = client.url.removeprefix("http://").split(":")
    body = json.dumps({"model": "tiny", "stream": True, **fields})
    peer = socket.create_connection((host, int(port)), timeout=60)
    head = f"POST /v1/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    peer.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return peer


def test_a_full_queue_is_refused_until_it_is_shorter():
    with served(max_running=1, max_queue=2) as client, streaming(client, **LONG):
        waiting = [streaming_socket(client, {"prompt": "a", **LONG}) for _ in range(2)]
        assert wait_until(lambda: client.server.llm.num_waiting == 2)
        status, headers, answer = client.send("/v1/completions", {"model": "tiny", "prompt": "a"})
        assert (status, answer["error"]["code"]) == (429, "queue_full")
        assert int(headers["Retry-After"]) > 0 and answer["error"]["type"] == "rate_limit_error"
        assert client.send("/ready")[0] == 503 and client.send("/health")[0] == 200
        for peer in waiting:
            peer.close()
        assert wait_until(lambda: client.send("/ready")[0] == 200)


def test_a_batch_larger_than_the_queue_is_taken_when_nothing_waits():
    with served(max_queue=2) as client:
        assert len(client.complete(["a", "b", "c", "d"], n=2, max_tokens=2)["choices"]) == 8


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_request_that_waits_too_long_gets_504(is_stream):
    with served(request_timeout=0.2) as client:
        gate = threading.Event()
        client.server.llm.call_soon(lambda llm: gate.wait())
        body = {"model": "tiny", "prompt": "a", "stream": is_stream}
        status, _, answer = client.send("/v1/completions", body)
        gate.set()
        assert (status, answer["error"]["type"]) == (504, "timeout_error")
        assert wait_until(lambda: idle(client))


def slower(llm):
    """Let every step take a while, so that a long answer outlives the time-out."""
    step, pause = llm.engine.step, threading.Event()

    def slow():
        pause.wait(0.02)
        return step()

    llm.engine.step = slow


def test_a_stream_that_takes_too_long_ends_with_a_last_chunk():
    with served(slower, request_timeout=1.0) as client:
        body = {"model": "tiny", "prompt": TEXT, "stream": True, **LONG}
        options = {"stream_options": {"include_usage": True}}
        *_, last, usage = events_of(client.send("/v1/completions", {**body, **options})[2])
        choice = last["choices"][0]
        assert (choice["finish_reason"], choice["stop_reason"]) == ("length", "timeout")
        assert 0 < usage["usage"]["completion_tokens"] < 1500
        assert wait_until(lambda: idle(client))


soak = pytest.mark.soak


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=soak)], ids=str
)
def test_a_signal_lets_running_requests_finish(number):
    with program("--num-blocks", "256") as server:
        client = server.client
        with streaming(client, max_tokens=400) as stream:
            server.process.send_signal(number)
            assert wait_until(lambda: client.send("/ready")[0] == 503)
            assert client.send("/health")[0] == 200
            status, headers, answer = client.send(
                "/v1/completions", {"model": "tiny", "prompt": "a"}
            )
            assert status == 503 and headers["Retry-After"] and answer["error"]["message"]
            text = stream.read().decode()
        *_, last = events_of("data: {}\n" + text)
        assert last["choices"][0]["finish_reason"] == "length"
        assert "stop_reason" in last["choices"][0] and not last["choices"][0]["stop_reason"]
        assert server.end() == 0
        assert any(" 200 " in line and "completion_tokens=400" in line for line in server.out)


@soak
def test_after_the_drain_time_streams_end_with_a_last_chunk():
    with program("--num-blocks", "256", "--drain-timeout", "0.2") as server:
        with streaming(server.client, **LONG) as stream:
            server.process.send_signal(signal.SIGTERM)
            text = stream.read().decode()
        *_, last = events_of("data: {}\n" + text)
        choice = last["choices"][0]
        assert (choice["finish_reason"], choice["stop_reason"]) == ("length", "shutdown")
        assert server.end() == 0


@soak
def test_an_idle_server_stops_at_once_and_says_nothing():
    with program() as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 0
        assert len(server.err) == 1 and server.out == []


ERRORS = [
    "ValueError('the weights are gone')",
    pytest.param("MemoryError('no room')", marks=soak),
    pytest.param("SystemExit(7)", marks=soak),
]


@pytest.mark.parametrize("error", ERRORS)
def test_an_engine_that_dies_ends_the_process_with_one_line(error):
    with program(code=RAISING.format(num_steps=5, error=error)) as server:
        statuses = set()
        with streaming(server.client, **LONG) as stream:
            text = stream.read().decode()
            for _ in range(1000):
                with suppress(OSError):
                    statuses.add(server.client.send("/health")[0])
                if 503 in statuses:
                    break
        *_, last = text.strip().split("\n\n")
        assert json.loads(last.removeprefix("data: "))["error"]["type"] == "server_error"
        assert 503 in statuses
        assert server.end() == 1
        name = error.partition("(")[0]
        assert server.err[-1].startswith(f"error: the engine has failed: {name}: ")
        assert "Traceback" not in "".join(server.err)


def test_a_request_that_meets_a_dead_engine_is_told():
    with served() as client:

        def die(work):
            raise ValueError("the weights are gone")

        def breaks(llm):
            llm.engine.runner.forward = die

        client.in_engine(breaks)
        answer = client.send("/v1/completions", {"model": "tiny", "prompt": "a"})
        assert answer[0] == 500 and "weights" not in answer[2]["error"]["message"]
        assert wait_until(lambda: client.server.llm.state == "failed")


def test_a_model_that_cannot_be_loaded_raises_in_the_caller():
    with pytest.raises(ZeroDivisionError), served(lambda llm: 1 / 0):
        pass
