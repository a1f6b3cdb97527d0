"""Servers over the tiny model, and what is asked of them."""

import contextlib
import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import cache

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("fastapi", reason="fastapi is not installed: the extra `serve` brings it")

from radixlab.cache import check  # noqa: E402
from radixlab.llm import LLM  # noqa: E402
from radixlab.model.loader import load_model, load_tokenizer  # noqa: E402
from radixlab.model.sampler import SamplingParams  # noqa: E402
from radixlab.model.tiny import TINY, fact_sheet  # noqa: E402
from radixlab.serve.local import serving  # noqa: E402
from radixlab.serve.models import builder  # noqa: E402
from radixlab.serve.settings import Settings  # noqa: E402

SHEET = fact_sheet(seed=0, num_facts=8, num_tokens=128)
TEXT = SHEET.prompt(SHEET.facts[2])


@contextmanager
def served(change=None, **settings):
    """Serve the tiny model in this process; `change` may alter the LLM. Yields a `Client`."""
    made = Settings(**{"num_blocks": 256, **settings})
    build = builder(made)

    def changed():
        llm = build()
        if change:
            change(llm)
        return llm

    lines = []
    with serving(made, build=changed, write_line=lines.append) as server:
        yield Client(server.url, made.api_key, server, lines)


class Client:
    """Sends plain HTTP requests, so that nothing is hidden."""

    def __init__(self, url, key=None, server=None, lines=None):
        self.url, self.key, self.server, self.lines = url, key, server, lines

    def send(self, path, body=None, method=None, headers=None, timeout=120):
        """Return the status, the headers and the body: an object if it is JSON, else text."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data is not None else {}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(
            self.url + path, data, {**sent, **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, _parsed(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, _parsed(error)

    def get(self, path):
        return self.send(path)[2]

    def complete(self, prompt=TEXT, **fields):
        """Return the body of a completion that must succeed."""
        body = {"model": "tiny", "prompt": prompt, "temperature": 0, **fields}
        status, _, answer = self.send("/v1/completions", body)
        assert status == 200, answer
        return answer

    def metrics(self):
        """Return all samples, by name and labels as they are written."""
        lines = self.get("/metrics").splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name.removeprefix("radixlab:"): float(value) for name, value in samples}

    def openai(self, **options):
        """Return the official client."""
        openai = pytest.importorskip("openai", reason="openai is not installed")
        key = self.key or "none"
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, **options)

    def in_engine(self, function):
        """Call a function of the LLM in the engine's thread."""
        return self.server.in_engine(function)


def _parsed(answer):
    text = answer.read().decode()
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return text


@contextmanager
def streaming(client, prompt=TEXT, **fields):
    """Hold a stream open, of which one piece has come; yields the connection's file."""
    body = {"model": "tiny", "prompt": prompt, "temperature": 0, "stream": True}
    data = json.dumps({**body, "ignore_eos": True, **fields}).encode()
    headers = {"Content-Type": "application/json"}
    if client.key:
        headers["Authorization"] = f"Bearer {client.key}"
    request = urllib.request.Request(f"{client.url}/v1/completions", data, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.readline().startswith(b"data: {")
        yield answer


def idle(client):
    """Whether no request is left in the engine, and no block is lost."""

    def look(llm):
        check(llm.manager)
        stats = llm.manager.stats()
        return not llm.engine.has_work and not llm._answers and stats.num_used_blocks == 0

    return client.in_engine(look)


def events_of(text):
    """Return the JSON objects of a stream, which ends with `[DONE]`."""
    *events, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def expected(prompts, **params):
    """Answer prompts one by one without a cache: what every server must say."""
    tokenizer, model = tiny()
    answers = {}
    for prompt in dict.fromkeys(prompts):
        llm = LLM(model, tokenizer)
        (answers[prompt],) = llm.generate([prompt], SamplingParams(**params), progress=False)
    return answers


@cache
def tiny():
    """Load the tiny tokenizer and model, once."""
    return load_tokenizer(TINY), load_model(TINY)


def wait_until(condition, seconds=60):
    """Wait for a condition, and say whether it came true."""
    pause = threading.Event()
    for _ in range(seconds * 50):
        if condition():
            return True
        pause.wait(0.02)
    return condition()
