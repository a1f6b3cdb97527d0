"""Bodies that real programs sent (recorded/README.md), and the file of our own server's prompts."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from radixlab.serve.access_log import AccessLog, Entry
from radixlab.why.places import place_of
from radixlab.why.reading import RequestLog, read_log
from radixlab.why.request import Usage
from tests.why.test_bodies import leaves, said_of

RECORDED = sorted(Path(__file__).with_name("recorded").glob("*.jsonl"))
SHOWN = ("system", "instructions", "tools", "messages", "input", "response_format")
STORED = ("status", "strict", "format")
"""Keys of stored items that no model sees, and of the wish for plain text."""
FORMS = {
    "anthropic_client": {"anthropic"},
    "langchain_agent": {"openai chat", "openai responses", "anthropic"},
    "llm_command": {"openai chat"},
    "openai_agents": {"openai chat", "openai responses"},
    "openai_client": {"openai chat", "openai responses"},
    "pydantic_agent": {"openai chat", "anthropic"},
}
NUM_TALKS = {
    "anthropic_client": 2,
    "langchain_agent": 3,
    "llm_command": 1,
    "openai_agents": 2,
    "openai_client": 4,
    "pydantic_agent": 2,
}


def test_every_program_that_is_named_is_recorded():
    assert {path.stem for path in RECORDED} == set(FORMS)
    readme = RECORDED[0].with_name("README.md").read_text("utf-8")
    assert all(f"`{path.name}`" in readme for path in RECORDED)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_line_is_read_whole(path):
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    skipped = []
    requests = list(read_log(path, skipped.append))
    assert skipped == [] and [r.line for r in requests] == [*range(1, len(lines) + 1)]
    assert {request.form for request in requests} == FORMS[path.stem]
    for line, request in zip(lines, requests, strict=True):
        assert request.timestamp == line["timestamp"] and request.usage == Usage(100, 64)
        assert request.scope[0] == ("model", line["body"]["model"])
        body = {key: line["body"][key] for key in SHOWN if line["body"].get(key)}
        for where, value in leaves(body):
            is_stored = where[-1] in STORED or (where[0] == "input" and where[-1] == "id")
            assert is_stored or any(said in request.text for said in said_of(value)), where


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_talk_only_grows(path):
    """These programs keep their history, so each prompt begins with the one before, or is new."""
    requests = list(read_log(path))
    grown = [after.text.startswith(before.text.removesuffix("<|assistant|>\n"))
             for before, after in pairwise(requests)]  # fmt: skip
    assert 1 + grown.count(False) == NUM_TALKS[path.stem]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_character_has_a_place(path):
    with RequestLog(path) as log:
        for request in log:
            assert log.at(request.offset, request.line) == request
            for character in range(0, len(request.text), 97):
                place = place_of(request, character)
                assert place and place.isprintable() and place != "the end of the prompt"
            assert place_of(request, len(request.text)) == "the end of the prompt"


def test_anthropic_breakpoints_stand_behind_tools_system_and_the_last_message():
    path = next(path for path in RECORDED if path.stem == "anthropic_client")
    for request in list(read_log(path))[:-1]:
        ends = [request.parts[number - 1][0][0] for number in request.breakpoints]
        assert ends == ["tools", "system", "messages"]


def test_the_prompts_of_our_own_server_are_read(tmp_path):
    bodies = [
        {"model": "tiny", "messages": [{"role": "user", "content": "where?"}], "max_tokens": 2},
        {"model": "tiny", "prompt": "where?", "cache_salt": "x"},
        {"model": "tiny", "prompt": [5, 6]},
        {"model": "tiny", "prompt": ["a", "b"]},
    ]
    usage = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}
    path = tmp_path / "prompts.jsonl"
    log = AccessLog(None, prompts=path)
    for body in bodies:
        log.prompt(Entry("POST", "/v1/completions", 0.0, id="cmpl-1", body=body), usage)
    log.close()
    skipped = []
    requests = list(read_log(path, skipped.append))
    assert skipped == [] and len(requests) == 5
    assert [request.form for request in requests][:3] == [
        "openai chat",
        "openai completion",
        "token_ids",
    ]
    assert requests[1].scope == (("model", "tiny"), ("cache_salt", "x"))
    assert all(r.usage == Usage(9, 4) and r.timestamp > 1.7e9 for r in requests[:4])
