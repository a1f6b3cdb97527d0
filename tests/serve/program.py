"""`radixlab serve` as a process of its own."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager

from tests.serve.helpers import Client, wait_until

RAISING = """
import sys, threading
from radixlab.serve import models, run
from radixlab.serve.settings import Settings

def builder(settings, made=models.builder):
    build = made(settings)
    def broken():
        llm = build()
        forward, steps = llm.engine.runner.forward, []
        def raising(work):
            steps.append(1)
            if len(steps) > {num_steps}:
                raise {error}
            return forward(work)
        llm.engine.runner.forward = raising
        return llm
    return broken

run.builder = builder
settings = Settings(port=0, num_blocks=256)
sys.exit(run.run(settings, print, lambda line: print(line, file=sys.stderr, flush=True)))
"""
"""A program that serves a model whose runner raises after some steps."""


class Program:
    """A server's process, its client, and what it has printed."""

    def __init__(self, process):
        self.process = process
        self.out, self.err = [], []
        self._readers = [
            threading.Thread(target=_read, args=pair, daemon=True)
            for pair in ((process.stdout, self.out), (process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()
        assert wait_until(lambda: self.url or process.poll() is not None, 300)
        assert self.url, self.err
        self.client = Client(self.url)

    @property
    def url(self):
        found = (re.search(r"ready: .* on (http://\S+)", line) for line in self.err)
        return next((match[1] for match in found if match), None)

    def end(self, timeout=60):
        """Wait for the process; return its exit code."""
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code


@contextmanager
def program(*options, code=None):
    """Start the command, or other code; it is ended at the end."""
    command = ["-c", code] if code else ["-m", "radixlab", "serve", "--port", "0", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.wait()


def _read(pipe, lines):
    with pipe:
        for line in pipe:
            lines.append(line.rstrip("\n"))
