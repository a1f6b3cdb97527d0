"""A real server on loopback, in a process of its own, for as long as a check needs it.

It is `radixlab serve` with the tiny model. It ends with the judge, whatever happens to the judge.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import suppress
from importlib.util import find_spec
from typing import IO, Any

import radixlab
from radixlab.exercise.site import SETTINGS
from radixlab.grade.items import CannotCheck, Trial
from radixlab.grade.judge_process import import_path

NEEDED = {"fastapi": "serve", "uvicorn": "serve", "prometheus_client": "serve"} | {
    "torch": "model",
    "tokenizers": "model",
    "safetensors": "model",
}
"""What the server imports, and the extra that brings it."""
LOOPBACK, MODEL = "127.0.0.1", "tiny"
LIMIT_S = 600.0
"""For an answer, on a machine with little time for it."""
_BOOT = """
import ctypes, json, os, signal, sys
if sys.platform == "linux":  # whoever kills the judge ends its server
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != {judge}:
        os._exit(1)
if sys.platform != "win32":  # the judge's limit of memory is not the server's
    import resource
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
from importlib.util import module_from_spec, spec_from_file_location
sys.path[:] = {path!r}
spec = spec_from_file_location("radixlab", {package!r})
sys.modules["radixlab"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["radixlab"])
from radixlab.serve.run import run
from radixlab.serve.settings import Settings
sys.exit(run(Settings(**json.loads({settings!r})), print, print))
"""


def require_a_server() -> None:
    """Raise `CannotCheck` where a server cannot run, and say what to install."""
    for name, extra in NEEDED.items():
        if find_spec(name) is None:
            raise CannotCheck(
                f"This item runs a real server, and {name} is not installed: "
                f"pip install 'radixlab[{extra}]'"
            )


def free_port() -> int:
    """Return a port of this machine on which nobody listens now."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
        return port


class RealServer:
    """A server's process; `close` ends it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.url = f"http://{settings['host']}:{settings['port']}"
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        chosen = {"model": MODEL} | {name: settings[name] for name in SETTINGS}
        boot = _BOOT.format(
            judge=os.getpid(),
            path=import_path(),
            package=os.path.abspath(radixlab.__file__),
            settings=json.dumps(chosen),
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the judge, who ends it in order
        )

    def __del__(self) -> None:
        with suppress(AttributeError):
            self.close()

    def close(self) -> None:
        """End it; again does no harm."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._said.close()

    @property
    def ended(self) -> str | None:
        """What it said last if it has ended by itself, else None."""
        if self._process.poll() is None:
            return None
        self._said.seek(0)
        said = self._said.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else f"exit code {self._process.returncode}"

    def get(self, path: str) -> tuple[int, str] | None:
        """Return a status and a text; None if nobody listens."""
        return self._ask(urllib.request.Request(self.url + path))

    def complete(self, prompt: list[int], max_tokens: int) -> tuple[int, str] | None:
        """Have a prompt answered."""
        body = {"model": MODEL, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0}
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(
            f"{self.url}/v1/completions", json.dumps(body).encode(), headers
        )
        return self._ask(asked)

    def metrics(self) -> str:
        """Return the text of `/metrics`; raise `CannotCheck` if there is none."""
        found = self.get("/metrics")
        if found is None or found[0] != 200:
            raise CannotCheck("The server has no metrics")
        return found[1]

    def _ask(self, request: urllib.request.Request) -> tuple[int, str] | None:
        try:
            with _OPENER.open(request, timeout=LIMIT_S) as found:
                return found.status, found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")
        except (urllib.error.URLError, OSError):
            return None


def completed(server: RealServer, prompt: list[int], max_tokens: int) -> dict[str, int]:
    """Have a prompt answered; return the status, and how many tokens were sent, got and cached.

    Raises
    ------
    CannotCheck
        The server is gone, or refuses what it should answer.
    """
    found = server.complete(prompt, max_tokens)
    if found is None:
        raise CannotCheck(f"The server is gone: {server.ended}")
    status, text = found
    if status != 200:
        raise CannotCheck(f"The server answered with status {status}: {text[:200]}")
    usage = json.loads(text)["usage"]
    return {
        "status": 200,
        "prompt_tokens": usage["prompt_tokens"],
        "completion_tokens": usage["completion_tokens"],
        "cached_tokens": usage["prompt_tokens_details"]["cached_tokens"],
    }


def keep(trial: Trial, server: RealServer) -> None:
    """Let a later check of the same grading use a server; it ends when the grading does."""
    trial.memory[RealServer] = server


def kept(trial: Trial) -> RealServer | None:
    """Return the server that an earlier check kept, if it still runs."""
    server: RealServer | None = trial.memory.get(RealServer)
    return server if server is not None and server.ended is None else None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback never goes through a proxy."""
