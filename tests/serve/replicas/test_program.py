"""`radixlab serve --replicas` as a process of its own: its lines, its end, nothing left over."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="ray is not installed: the extra `ray` brings it")

from tests.serve.helpers import wait_until
from tests.serve.program import program
from tests.test_cli import Run, run

__all__ = ["run"]


@pytest.fixture
def folder(monkeypatch):
    """A temporary folder with a short path, by which the processes of one server are known."""
    made = tempfile.mkdtemp(prefix="r", dir="/tmp")
    monkeypatch.setenv("TMPDIR", made)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def processes(folder):
    """The processes that were started with this temporary folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={folder}\0".encode() in each.read_bytes():
                found.append(int(each.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_server_ends(folder, number):
    with program("--replicas", "2", "--route-by", "prompts") as server:
        says = "ready: tiny, 2 replicas, router prefix fed by prompts, on http://"
        assert any(line.startswith(says) for line in server.err)
        assert server.client.complete("A rabbit", max_tokens=2)["usage"]["completion_tokens"]
        assert len(processes(folder)) > 3
        server.process.send_signal(number)
        code = server.end(120)
    assert code == (-number if number == signal.SIGKILL else 0)
    assert wait_until(lambda: not processes(folder), 120)
    assert number == signal.SIGKILL or not list(Path(folder).glob("radixlab-ray-*"))
    assert all("ray" not in line.lower() for line in server.out)


@contextmanager
def starting():
    """A server whose replicas begin to start; everything that it says, line by line."""
    command = [sys.executable, "-m", "radixlab", "serve", "--port", "0", "--replicas", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline().startswith("starting 2 replicas")
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.soak
@pytest.mark.parametrize("after_s", [0, 2, 5, 8, 12])
@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_ends_a_server_that_still_starts(folder, after_s, times):
    with starting() as process:
        time.sleep(after_s)
        for _ in range(times):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        said = process.stderr.read()
        assert process.wait(120) == 0 and "SIGTERM" not in said
    assert wait_until(lambda: not processes(folder), 120)
    assert not list(Path(folder).glob("radixlab-ray-*"))


@pytest.mark.soak
def test_a_server_whose_raylet_is_gone_says_so_and_leaves_nothing(folder):
    with program("--replicas", "2") as server:
        for pid in processes(folder):
            if Path(f"/proc/{pid}/exe").resolve().name == "raylet":
                os.kill(pid, signal.SIGKILL)
        assert server.end(120) == 1
        assert "error: the engine has failed" in server.err[-1]
    assert wait_until(lambda: not processes(folder), 120)
    assert not list(Path(folder).glob("radixlab-ray-*"))


def test_a_busy_port_is_one_line_before_anything_starts(run: Run):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        done = run("serve", "--replicas", "2", "--port", port)
    assert done.code == 2 and f"port {port}" in done.err and len(done.err.splitlines()) == 1
