"""`radixlab serve` on the command line: its help, its flags, how it refuses."""

import dataclasses
import socket

import pytest

from tests.serve.helpers import TEXT
from tests.serve.program import program
from tests.test_cli import Run, run

__all__ = ["run"]


def test_every_setting_is_a_flag(run: Run):
    from radixlab.cli.serve import serve
    from radixlab.serve.settings import Settings

    flags = {option.name: option for option in serve.params}
    assert flags.keys() == {field.name for field in dataclasses.fields(Settings)}
    for field in dataclasses.fields(Settings):
        if field.name not in ("served_model_name", "log_prompts"):
            assert flags[field.name].default in (field.default, None) or not field.default
    text = run("serve", "--help").out
    assert all(f"--{name.replace('_', '-')}" in text for name in flags if name != "model")
    assert "Examples:" in text and "RADIXLAB_API_KEY" in text and "RADIXLAB_OPERATOR_KEY" in text


def mistakes(busy):
    yield ["--port", str(busy)], f"cannot listen on 127.0.0.1 port {busy}"
    yield ["--host", "256.256.256.256"], "cannot listen on 256.256.256.256"
    yield ["--request-timeout", "0"], "--request-timeout"
    yield ["--swap-space", "4X"], "'4X' is not a number of bytes"
    yield ["--kv-events", "nowhere"], "cannot bind 'nowhere'"
    yield ["--kv-events-replay", "tcp://*:1"], "kv_events_replay needs kv_events"
    yield ["--log-prompts", "/no/such/folder/file"], "/no/such/folder/file"


def test_a_mistake_is_one_line(run: Run):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        for arguments, says in mistakes(busy.getsockname()[1]):
            done = run("serve", *arguments)
            assert done.code == 2 and says in done.err, (arguments, done)
            assert len(done.err.splitlines()) == 1 and not done.out


def test_a_model_that_is_not_fetched_is_said_in_one_line(run: Run, monkeypatch, tmp_path):
    monkeypatch.setenv("RADIXLAB_HOME", str(tmp_path))
    done = run("serve", "smollm2")
    assert done.code == 2 and "radixlab model smollm2" in done.err


@pytest.mark.soak
def test_the_command_serves_with_a_key_from_the_environment(monkeypatch):
    monkeypatch.setenv("RADIXLAB_API_KEY", "secret")
    with program("--served-model-name", "a", "--served-model-name", "b", "--log-json") as server:
        assert server.client.send("/v1/models")[0] == 401
        server.client.key = "secret"
        names = [model["id"] for model in server.client.get("/v1/models")["data"]]
        assert names == ["a", "b"]
        assert server.client.complete(TEXT, model="b", max_tokens=2)["model"] == "b"
