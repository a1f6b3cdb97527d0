"""Busy, slow, broken and hostile servers: a fault that is not the cache's is never called one."""

import json
import random

import httpx
import pytest

from radixlab.certify import CHECKS, CertifyError, Options, certify
from tests.certify.peer import Peer


class Traffic(Peer):
    """Other clients evict what was cached, sometimes all of it and sometimes the end."""

    def __init__(self, seed, share):
        super().__init__()
        self.random, self.share = random.Random(seed), share

    def complete(self, body, is_chat):
        if self.random.random() < self.share:
            self.others()
        return super().complete(body, is_chat)

    def others(self):
        size = self.random.choice((0, 16, 32))
        self.prefixes = {each for each in self.prefixes if len(each[1]) <= size}
        self.count(range(100), 0)


class Trouble(httpx.BaseTransport):
    """The network, or a gateway, fails some of the requests."""

    def __init__(self, peer, seed, share):
        self.peer, self.random, self.share = peer, random.Random(seed), share

    def handle_request(self, request):
        if self.random.random() > self.share or request.url.path == "/v1/models":
            return self.peer.handle(request)
        kind = self.random.choice((429, 502, 503, 504, "time", "lost", "cut"))
        if isinstance(kind, int):
            return httpx.Response(kind, headers={"Retry-After": "0.001"}, text="busy")
        if kind == "time":
            raise httpx.ReadTimeout("too slow")
        if kind == "lost":
            raise httpx.ConnectError("no route")
        return httpx.Response(200, content=cut(self.peer.handle(request).read()))


def cut(body):
    yield body[: len(body) // 2]
    raise httpx.RemoteProtocolError("peer closed the connection")


def failed(report):
    return {r.id: r.reason for r in report.results if r.verdict == "fail"}


@pytest.mark.parametrize("has_page", [True, False], ids=["counted", "uncounted"])
@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_the_traffic_of_others_is_no_fault(share, has_page):
    for seed in (0, 1) if share == 0.3 else (2,):
        peer = Traffic(seed, share)
        peer.has_page = has_page
        report = peer.examine()
        assert failed(report) == {}, seed
        assert report.counts["cannot tell"] >= 1


@pytest.mark.soak
@pytest.mark.parametrize("has_page", [True, False], ids=["counted", "uncounted"])
def test_the_traffic_of_others_is_no_fault_for_many_seeds(has_page):
    for seed in range(60):
        peer = Traffic(seed, (seed % 12 + 1) / 12)
        peer.has_page = has_page
        assert failed(peer.examine()) == {}, seed


@pytest.mark.soak
def test_trouble_on_the_way_is_no_fault_for_many_seeds():
    for seed in range(100):
        report = Peer().examine(transport=Trouble(Peer(), seed, seed / 200), patience_s=0.02)
        assert failed(report) == {}, seed


@pytest.mark.parametrize("share", [0.02, 0.2, 1.0])
def test_trouble_on_the_way_is_no_fault(share):
    for seed in range(2):
        report = Peer().examine(transport=Trouble(Peer(), seed, share), patience_s=0.05)
        assert failed(report) == {}, seed
        assert len(report.results) == len(CHECKS)


HOSTILE = {
    "a web page": lambda request: httpx.Response(200, text="<html>" * 1000),
    "nothing": lambda request: httpx.Response(200, text=""),
    "a list": lambda request: httpx.Response(200, json=[1, [2]]),
    "deep JSON": lambda request: httpx.Response(200, text="[" * 100_000),
    "a fault": lambda request: httpx.Response(500, text="no"),
    "a redirect": lambda request: httpx.Response(302, headers={"Location": "http://other/"}),
    "no choices": lambda request: httpx.Response(200, json={"choices": [], "usage": {}}),
    "odd choices": lambda request: httpx.Response(200, json={"choices": [{"text": 7}, 3, None]}),
    "odd usage": lambda request: odd_usage(),
    "no number": lambda request: httpx.Response(
        200,
        text='{"choices": [{"text": "a", "logprobs": {"tokens": ["a"], "token_logprobs": [NaN]}}],'
        ' "usage": {"prompt_tokens": NaN, "completion_tokens": -1}}',
    ),
    "control characters": lambda request: httpx.Response(
        400, json={"error": {"message": "\x1b[31m" + "x" * 10**5, "type": "\x07"}}
    ),
    "a refusal": lambda request: httpx.Response(418, text="teapot"),
}


def odd_usage():
    details = {"cached_tokens": 2**80}
    usage = {"prompt_tokens": True, "completion_tokens": "9", "prompt_tokens_details": details}
    return httpx.Response(200, json={"choices": [{"text": "a"}], "usage": usage})


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_server_answers_there_is_a_report(name):
    def handle(request):
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": "m", "max_model_len": 600}]})
        return HOSTILE[name](request)

    report = certify("http://peer", (), options(handle))
    assert json.loads(json.dumps(report.as_json(), allow_nan=False))["counts"] == report.counts
    assert all(result.reason and len(result.reason) < 1000 for result in report.results)
    assert set(failed(report)) <= {"errors.shape", "choices.n", "cached.reset", "stream.same"}


def options(handle, **given):
    given = {"seed": "fixed", "patience_s": 0.05, "timeout_s": 2.0, **given}
    return Options(transport=httpx.MockTransport(handle), **given)


@pytest.mark.parametrize(
    "status, body, says",
    [
        (401, "", "give the server's key with --api-key"),
        (403, "", "give the server's key with --api-key"),
        (404, "<html>", "name one with --model"),
        (200, "[]", "name one with --model"),
        (200, '{"data": [3, {"id": ""}]}', "name one with --model"),
    ],
)
def test_what_is_no_server_is_the_callers_mistake(status, body, says):
    with pytest.raises(CertifyError, match=says):
        certify("http://peer", (), options(lambda request: httpx.Response(status, text=body)))


def test_an_endless_answer_is_cut_off():
    def endless():
        while True:
            yield b"x" * 2**20

    def handle(request):
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": "m"}]})
        return httpx.Response(200, content=endless())

    report = certify("http://peer", ["cached"], options(handle))
    assert report.counts == {"pass": 0, "fail": 0, "cannot tell": 3}


@pytest.mark.parametrize("most", [1, 300, 2_000, 5_000])
def test_no_run_spends_more_than_its_budget(most):
    peer = Peer()
    report = peer.examine(most_tokens=most)
    spent = sum(peer.counts[f"vllm:{kind}_tokens_total"] for kind in ("prompt", "generation"))
    assert spent <= report.num_tokens + peer.step * 20 and report.num_tokens <= most
    assert failed(report) == {}
    assert any("--max-tokens-budget" in result.reason for result in report.results)


def test_what_is_said_beforehand_is_enough():
    lines = []
    peer = Peer()
    report = certify(
        "http://peer", (), Options(seed="fixed", transport=peer.transport()), lines.append
    )
    assert len(lines) == 2 and all(line.isprintable() for line in lines)
    numbers = [
        int(word.replace(",", "")) for line in lines for word in line.split() if word[0].isdigit()
    ]
    survey_requests, survey_tokens, _, requests, tokens = numbers[:5]
    assert report.num_requests <= survey_requests + requests
    assert report.num_tokens <= survey_tokens + tokens


class Bare(Peer):
    """A server with OpenAI's API and nothing else."""

    has_page = has_reset = has_salts = has_tokenizer = False
    has_logprobs = has_prompt_logprobs = reports_cached = False
    max_len = None
    adapters = ()
    takes = ("chat",)


def test_a_bare_server_is_not_blamed_for_what_it_lacks():
    report = Bare().examine()
    assert failed(report) == {}
    passed = {result.id for result in report.results if result.verdict == "pass"}
    assert passed == {
        "usage.counts", "stream.same", "answer.together", "choices.n", "errors.shape",
        "errors.unharmed",
    }  # fmt: skip
    why = {result.id: result.reason for result in report.results}
    assert "--enable-prompt-tokens-details" in why["cached.blocks"]
    assert "no metrics are published" in why["counters.usage"]
    assert "--kv-events" in why["events.replay"]
    assert "nobody knows what was cached" in why["answer.same"]
