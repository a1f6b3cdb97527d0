"""Namespaces: two tenants never share a prefix, and no answer tells one about the other."""

import pytest

from tests.serve.helpers import SHEET, TEXT, served

NAMES = ("tiny", "x")


@pytest.fixture(scope="module")
def client():
    with served(served_model_name=NAMES, num_blocks=1024) as client:
        yield client


@pytest.fixture
def empty(client):
    assert client.send("/reset_prefix_cache", {})[0] == 200
    return client


def cached(client, prompt=TEXT, **fields):
    answer = client.complete(prompt, max_tokens=2, **fields)
    return answer["usage"]["prompt_tokens_details"]["cached_tokens"]


TENANTS = {
    "no salt": {},
    "salt x": {"cache_salt": "x"},
    "salt y": {"cache_salt": "y"},
    "salt X": {"cache_salt": "X"},
    "salt of a space": {"cache_salt": " "},
    "salt x and a space": {"cache_salt": "x "},
    "salt named like a kind": {"cache_salt": "salt"},
    "salt named like nothing": {"cache_salt": "None"},
    "the longest salt": {"cache_salt": "é" * 128},
    "nearly the longest salt": {"cache_salt": "é" * 127},
}


def test_no_two_tenants_share_and_each_finds_its_own(empty):
    whole = (empty.complete(max_tokens=1)["usage"]["prompt_tokens"] - 1) // 16 * 16
    assert empty.send("/reset_prefix_cache", {})[0] == 200
    assert [cached(empty, **tenant) for tenant in TENANTS.values()] == [0] * len(TENANTS)
    assert [cached(empty, **tenant) for tenant in TENANTS.values()] == [whole] * len(TENANTS)


def test_a_salt_is_not_the_model_of_that_name(empty):
    assert cached(empty, model="x") == 0
    assert cached(empty, cache_salt="x") == 0
    assert cached(empty, model="tiny") > 0  # another name of the same model, and no salt
    assert cached(empty, model="x", cache_salt="x") > 0


def test_chats_have_salts_too(empty):
    messages = [{"role": "system", "content": SHEET.text}, {"role": "user", "content": "who?"}]

    def hit(**fields):
        body = {"model": "tiny", "messages": messages, "max_tokens": 1, **fields}
        usage = empty.send("/v1/chat/completions", body)[2]["usage"]
        return usage["prompt_tokens_details"]["cached_tokens"]

    assert [hit(cache_salt="a"), hit(cache_salt="b"), hit(), hit(cache_salt="b") > 0] == [
        0,
        0,
        0,
        1,
    ]


def shape(value):
    """A value without what differs between any two answers: ids and times."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items() if name not in ("id", "created")}
    return [shape(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("fields", [{}, {"max_tokens": 5000}, {"tools": [1]}], ids=str)
def test_answers_and_headers_say_nothing_of_other_tenants(empty, fields, is_stream):
    """Whether another tenant has cached the prompt or not, a tenant gets the same bytes."""
    body = {"model": "tiny", "prompt": TEXT, "temperature": 0, "max_tokens": 4, **fields}
    body |= {"stream": is_stream, "cache_salt": "mine"}
    seen = []
    for is_warm in (False, True):
        assert empty.send("/reset_prefix_cache", {})[0] == 200
        if is_warm:
            for tenant in ({}, {"cache_salt": "theirs"}):
                assert cached(empty, **tenant) == 0
        status, headers, answer = empty.send("/v1/completions", body)
        assert "cached" not in str(headers).lower() and "miss" not in str(headers).lower()
        names = sorted(headers.keys())
        text = answer if isinstance(answer, str) else str(shape(answer))
        for field in ('"id":"', '"created":'):
            parts = text.split(field)
            text = field.join([parts[0], *(part.partition(",")[2] for part in parts[1:])])
        seen.append((status, names, text))
    assert seen[0] == seen[1]


def test_a_tenants_log_line_is_the_operators(empty):
    for salt in ("a", "b"):
        cached(empty, cache_salt=salt)
    assert "miss_reason=namespace" in empty.lines[-1]
    reasons = {line for line in empty.lines if TEXT[:20] in line or "salt" in line}
    assert not reasons


@pytest.mark.parametrize("first, second", [("a", "b"), ("b", "a")])
def test_the_metrics_count_both(empty, first, second):
    before = empty.metrics()
    for salt in (first, first, second):
        cached(empty, cache_salt=salt)
    after = empty.metrics()
    hits = 'prefix_cache_hits_total{tier="device"}'
    assert after[hits] - before[hits] > 0
    name = 'prefix_cache_misses_total{reason="namespace"}'
    assert after[name] - before[name] > 0
