"""Three real replicas on a real Ray cluster, one for all tests here."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("ray", reason="ray is not installed: the extra `ray` brings it")

from radixlab.serve.replicas.local import serving_replicas
from radixlab.serve.settings import Settings
from tests.serve.helpers import Client, events_of, expected, served, streaming, wait_until

PROMPT = list(range(20, 84))


@pytest.fixture(scope="module")
def server():
    settings = Settings(replicas=3, num_blocks=256, max_unread_tokens=4096, debug=True)
    with serving_replicas(settings) as served:
        yield served


@pytest.fixture
def client(server):
    assert wait_until(lambda: Client(server.url).send("/ready")[0] == 200, 120)
    return Client(server.url)


def routed(client):
    """How many prompts each replica took."""
    found = client.metrics()
    return {name: found[name] for name in found if name.startswith("replica_requests_total")}


def taker(client, act):
    """Which replica took the one prompt that `act` sends."""
    before = routed(client)
    act()
    after = routed(client)
    (name,) = [name for name in after if after[name] > before.get(name, 0)]
    return name


def looks(server):
    import asyncio

    async def look():
        return await server.front.handle.broadcast("look").results_async(timeout_s=60)

    return asyncio.run_coroutine_threadsafe(look(), server.front.loop).result(90)


def router_of(server):
    return server.front.handle._router._asyncio_router.request_router


def cached(answer):
    return answer["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_answers_are_those_of_a_single_engine(client):
    prompts = [f"Nils Westborn keeps a rabbit. Q{i}: What pet does Nils keep? A:" for i in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda prompt: client.complete(prompt, max_tokens=6), prompts))
    alone = expected(prompts, temperature=0.0, max_tokens=6)
    assert [a["choices"][0]["text"] for a in answers] == [alone[p].text for p in prompts]


BODIES = [
    {"prompt": "A rabbit", "temperature": 0},
    {"prompt": ["A rabbit", "A fox"], "temperature": 0},
    {"prompt": [[20, 21, 22], PROMPT], "temperature": 0},
    {"prompt": PROMPT, "temperature": 1, "seed": 7, "n": 3},
    {"prompt": PROMPT, "temperature": 0, "logprobs": 2, "logit_bias": {"99": 5}},
    {"prompt": PROMPT, "temperature": 0, "stop": ["a", "e"], "min_tokens": 2},
    {"prompt": PROMPT, "temperature": 0, "cache_salt": "mine", "repetition_penalty": 1.3},
    {"messages": [{"role": "user", "content": "Who keeps a rabbit?"}], "temperature": 0},
    {"messages": [{"role": "user", "content": "Hi"}], "logprobs": True, "seed": 1, "n": 2},
]


def said(choice):
    """A choice without its numbers, which differ in the last place if a prefix was cached."""
    logprobs = choice["logprobs"] or {}
    tokens = logprobs.get("tokens") or [each["token"] for each in logprobs.get("content", [])]
    return choice.get("text"), choice.get("message"), choice["finish_reason"], tokens


def test_every_kind_of_request_is_answered_as_by_a_single_server(client):
    with served() as alone:
        for fields in BODIES:
            path = "/v1/chat/completions" if "messages" in fields else "/v1/completions"
            sent = {"model": "tiny", "max_tokens": 6, **fields}
            found = [each.send(path, sent) for each in (client, alone)]
            assert [each[0] for each in found] == [200, 200], (fields, found)
            ours, theirs = ([*map(said, each[2]["choices"])] for each in found)
            assert ours == theirs, fields


def test_a_prompt_goes_where_its_prefix_is(client):
    first = taker(client, lambda: client.complete(PROMPT, max_tokens=2))
    router_sees = []

    def again():
        answer = client.complete([*PROMPT, 7, 7, 7], max_tokens=2)
        router_sees.append(cached(answer))

    assert wait_until(lambda: router_knows(client, PROMPT), 60)
    assert taker(client, again) == first and router_sees == [64]


def router_knows(client, prompt):
    answer = client.complete([*prompt, 9, 9], max_tokens=1)
    return cached(answer) >= len(prompt) // 16 * 16


def test_a_stream_has_its_usage(client):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    body = {"model": "tiny", "prompt": [PROMPT, PROMPT[:5]], "max_tokens": 4, "ignore_eos": True}
    status, _, text = client.send("/v1/completions", {**body, **options})
    chunks = events_of(text)
    assert status == 200 and chunks[-1]["usage"]["completion_tokens"] == 8
    assert {each["index"] for chunk in chunks for each in chunk["choices"]} == {0, 1}


def refusals():
    yield b"", "The body must be a JSON object"
    yield b'{"model": "tiny", "prompt": ', "not valid JSON"
    yield {"model": "tiny", "prompt": ""}, "an empty prompt"
    yield {"model": "tiny", "prompt": []}, "prompt"
    yield {"model": "tiny"}, "You must provide 'prompt'"
    yield {"model": "other", "prompt": "a"}, "does not exist"
    yield {"model": "tiny", "prompt": [10**9]}, "prompt"
    yield {"model": "tiny", "prompt": "a", "tools": [{}]}, "does not support 'tools'"
    yield {"model": "tiny", "prompt": [5] * 9000}, "leaves no room"
    yield {"model": "tiny", "prompt": "a", "n": 500}, "'n'"


def test_what_cannot_be_answered_is_refused_as_by_a_single_server(client):
    for body, says in refusals():
        status, _, answer = client.send("/v1/completions", body, timeout=60)
        assert status in (400, 404) and says in answer["error"]["message"], (body, answer)


def breaks(rule, chosen):
    def fails(prompt):
        raise RuntimeError("a fault of the rule")

    def hangs(prompt):
        time.sleep(1.0)
        return chosen(prompt)

    yield "failed", fails
    yield "stale", lambda prompt: "nobody"
    yield "slow", hangs


def test_whatever_the_rule_does_a_request_is_answered(client, server):
    router = router_of(server)
    rule, desk = router.desk._rule, router.desk
    chosen = rule.choose
    for why, broken in breaks(rule, chosen):
        before = client.metrics()[f'router_choices_total{{why="{why}"}}']
        rule.choose = broken
        try:
            client.complete(PROMPT, max_tokens=2)
        finally:
            rule.choose = chosen
        assert client.metrics()[f'router_choices_total{{why="{why}"}}'] == before + 1
    client.complete(PROMPT, max_tokens=2)
    assert client.metrics()['router_choices_total{why="resting"}'] >= 1
    assert wait_until(lambda: time.monotonic() > desk._resting_until, 60)
    assert wait_until(lambda: rule_chooses(client), 60)


def rule_chooses(client):
    before = client.metrics()['router_choices_total{why="rule"}']
    client.complete(PROMPT, max_tokens=1)
    return client.metrics()['router_choices_total{why="rule"}'] > before


def in_flight(server):
    return sum(each.snapshot.num_running + each.snapshot.num_waiting for each in looks(server))


def test_a_client_that_leaves_frees_its_replica(client, server):
    with streaming(client, PROMPT, max_tokens=1500):
        assert in_flight(server) == 1
    assert wait_until(lambda: in_flight(server) == 0, 60)
    assert wait_until(lambda: not router_of(server)._in_flight, 60)
    assert wait_until(lambda: server.front.num_open == server.front.num_waiting == 0, 60)


def test_clients_that_leave_at_any_moment_leave_no_load(client, server):
    rng, router = random.Random(0), router_of(server)
    address = client.url.removeprefix("http://").split(":")
    for number in range(60):
        prompt = [rng.randrange(20, 200)] * rng.randrange(1, 300)
        body = {"model": "tiny", "prompt": prompt, "max_tokens": 200, "stream": number % 2 == 0}
        sent = json.dumps(body).encode()
        head = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        with socket.create_connection((address[0], int(address[1]))) as left:
            left.sendall(f"{head}Content-Length: {len(sent)}\r\n\r\n".encode() + sent)
            time.sleep(rng.random() * 0.02)
    assert wait_until(lambda: server.front.num_open == 0, 300)
    assert wait_until(lambda: not router._in_flight, 300)
    assert wait_until(lambda: in_flight(server) == 0, 300)
    fleet = router.desk._rule.fleet
    assert wait_until(lambda: [fleet.load(each) for each in fleet] == [0, 0, 0], 300)


def test_the_metrics_are_sums_that_add_up(client, server):
    found = client.metrics()
    parts = [value for name, value in found.items() if name.startswith("prefix_cache_hits_total")]
    parts += [v for name, v in found.items() if name.startswith("prefix_cache_misses_total")]
    assert sum(parts) == found["prefix_cache_queries_total"] > 0
    blocks = sum(v for name, v in found.items() if name.startswith("blocks{"))
    assert blocks == 3 * 256 and len(routed(client)) == 3


def test_a_reset_empties_every_cache(client, server):
    client.complete(PROMPT, max_tokens=2)
    assert client.send("/reset_prefix_cache", method="POST")[0] == 200
    assert cached(client.complete(PROMPT, max_tokens=2)) == 0


def test_every_cache_is_described_in_a_list(client):
    status, _, told = client.send("/debug/cache")
    assert status == 200 and told.keys() == {"replicas"} and len(told["replicas"]) == 3
    assert all(each.keys() == {"summary", "snapshot"} for each in told["replicas"])


def test_killing_a_replica_under_load_loses_no_request(client, server):
    victim = looks(server)[0]
    answers, stop = [], threading.Event()

    def ask(number):
        count = 0
        while not stop.is_set():
            prompt = [*PROMPT[: 16 * (1 + number % 3)], number, count % 300]
            answers.append(client.send("/v1/completions", body(prompt), timeout=120)[0])
            count += 1

    def body(prompt):
        return {"model": "tiny", "prompt": prompt, "max_tokens": 16, "ignore_eos": True}

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    assert wait_until(lambda: len(answers) > 30, 120)
    os.kill(victim.pid, signal.SIGKILL)
    router = router_of(server)
    assert wait_until(lambda: victim.replica not in router.desk._rule.fleet, 120)
    seen = len(answers)
    assert wait_until(lambda: len(answers) > seen + 30, 120)
    stop.set()
    for each in threads:
        each.join(120)
    assert not any(each.is_alive() for each in threads)
    assert set(answers) == {200}
    assert client.metrics()["replica_deaths_total"] >= 1
    assert wait_until(lambda: len(looks(server)) == 3, 180)  # Ray has started another one
    assert client.send("/ready")[0] == 200


def test_a_stream_on_a_killed_replica_ends_with_an_error(client, server):
    with streaming(client, PROMPT, max_tokens=1900) as answer:
        busy = [each for each in looks(server) if each.snapshot.num_running]
        for each in busy:
            os.kill(each.pid, signal.SIGKILL)
        rest = answer.read().decode()
    last = json.loads(rest.strip().rpartition("data: ")[2])
    assert len(busy) == 1 and "has failed" in last["error"]["message"]


@pytest.mark.soak
def test_a_replica_that_hangs_delays_its_prompts_and_loses_none(client, server):
    warm = [[number] * 48 for number in range(20, 32)]
    for prompt in warm:
        client.complete(prompt, max_tokens=2)
    body = {"model": "tiny", "prompt": warm[0], "max_tokens": 1500, "ignore_eos": True}
    with ThreadPoolExecutor(len(warm) + 1) as pool:
        whole = pool.submit(client.send, "/v1/completions", body, timeout=300)
        assert wait_until(lambda: in_flight(server) == 1, 60)
        (victim,) = [each for each in looks(server) if each.snapshot.num_running]
        os.kill(victim.pid, signal.SIGSTOP)  # it has taken one prompt, and others have to come
        try:
            before = client.metrics()["replica_retries_total"]
            asked = [
                pool.submit(client.send, "/v1/completions", {**body, "prompt": p, "max_tokens": 2},
                            timeout=300)
                for p in warm
            ]  # fmt: skip
            assert [each.result()[0] for each in [whole, *asked]] == [200] * (len(warm) + 1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim.pid, signal.SIGKILL)
    assert client.metrics()["replica_retries_total"] > before
    assert wait_until(lambda: victim.replica not in router_of(server).desk._rule.fleet, 120)
    assert wait_until(lambda: len(looks(server)) == 3, 180)


def test_counters_do_not_fall_when_a_replica_dies(client, server):
    before = client.metrics()
    os.kill(looks(server)[0].pid, signal.SIGKILL)
    assert wait_until(lambda: client.metrics()["replica_deaths_total"] > 0, 60)
    after = client.metrics()
    counters = [name for name in before if "_total" in name or name.endswith("_count")]
    assert all(after[name] >= before[name] for name in counters)
    assert http.client.HTTPConnection(server.url.removeprefix("http://")).connect() is None
