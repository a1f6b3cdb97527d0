"""Our own server passes, however it is asked; and the command says so."""

import json

import pytest

from radixlab.certify import CHECKS, Options, certify
from tests.certify.test_broken import NOT_HERE, examined, shown, verdicts
from tests.serve.helpers import served, streaming
from tests.serve.program import program
from tests.test_cli import Run, run

__all__ = ["run"]


def passed(but=frozenset()):
    return dict.fromkeys(CHECKS, "pass") | dict.fromkeys(NOT_HERE | but, "cannot tell")


def test_the_command_certifies_our_program(run: Run, tmp_path):
    events, replay = (f"ipc://{tmp_path}/{name}" for name in ("events", "replay"))
    publishing = ("--kv-events", events, "--kv-events-replay", replay)
    with program("--num-blocks", "64", *publishing) as server:
        done = run("certify", server.url, "--json", "--seed", "7", *publishing)
        assert done.code == 0, done.err
        report = json.loads(done.out)
        found = {each["id"]: each["verdict"] for each in report["checks"]}
        assert found == passed(), report
        assert report["server"]["block_size"] == 16 and report["seed"] == "7"
        assert "at most" in done.err and "seed 7" in done.err and "--no-reset" in done.err
        shown = run("certify", server.url, "--only", "cached.one_left", "--verbose")
        assert shown.code == 0 and "asked again" in shown.out and "1 pass" in shown.out


@pytest.mark.soak
@pytest.mark.parametrize("form", ["text", "chat"])
@pytest.mark.parametrize("size", [16, 4])
def test_texts_and_chats_do_as_well_as_token_ids(form, size, tmp_path):
    endpoint = f"ipc://{tmp_path}/events"
    with served(num_blocks=1024 // size, block_size=size, kv_events=endpoint) as client:
        options = Options(seed="fixed", form=form, kv_events=endpoint)
        report = certify(client.url, (), options)
    assert verdicts(report) == passed(), shown(report)
    assert report.server["prompts"] == {"text": "text", "chat": "chats"}[form]


SETTINGS = [
    {"block_size": 4},
    {"block_size": 1, "num_blocks": 600},
    {"swap_space": 2**20},
    {"max_batch_tokens": 32, "max_running": 8},
    {"policy": "lfu"},
    {"max_running": 1},
]


@pytest.mark.soak
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_our_server_passes_with_other_settings(settings, tmp_path):
    report = examined(tmp_path=tmp_path, **{"num_blocks": 128, **settings})
    assert verdicts(report) == passed(), shown(report)


@pytest.mark.soak
def test_a_server_with_other_work_is_not_blamed():
    with served(num_blocks=64) as client, streaming(client, max_tokens=600):
        only = ["cached", "leave.frees", "counters"]
        report = certify(client.url, only, Options(seed="fixed", patience_s=20.0))
        assert report.counts["fail"] == 0, shown(report)


def test_keys_open_what_they_should(run: Run, monkeypatch):
    with served(num_blocks=64, api_key="client", operator_key="operator") as client:
        denied = run("certify", client.url)
        assert denied.code == 2 and "--api-key" in denied.err and denied.err.count("\n") == 1
        only = ["counters.sums", "cached.reset"]
        blind = certify(client.url, only, Options(api_key="client"))
        assert "--operator-key" in blind["counters.sums"].reason
        assert "--operator-key" in blind["cached.reset"].reason
        both = certify(client.url, only, Options(api_key="client", operator_key="operator"))
        assert both.counts["pass"] == 2, shown(both)


def test_no_reset_leaves_the_cache_alone():
    with served(num_blocks=64) as client:
        options = Options(seed="fixed", may_reset=False)
        report = certify(client.url, ["cached.reset", "cached.one_left"], options)
        assert report["cached.reset"].reason == "--no-reset was given"
        assert report["cached.one_left"].verdict == "pass"


def test_the_checks_are_listed(run: Run):
    listed = run("certify", "--list")
    found = json.loads(run("certify", "--list", "--json").out)
    lines = [line.split(maxsplit=1) for line in listed.out.splitlines()[-len(CHECKS) :]]
    assert listed.code == 0 and lines == [[each["id"], each["title"]] for each in found]
    assert [each["id"] for each in found] == [*CHECKS]


def test_the_rules_of_the_checks_that_are_named_are_listed_in_full(run: Run):
    listed = run("certify", "--list", "--only", "salt", "--only", "cached.blocks")
    found = json.loads(run("certify", "--list", "--only", "salt", "--only", "cached", "--json").out)
    assert [each["id"] for each in found if each["id"] in listed.out] == [
        "cached.blocks",
        "salt.apart",
    ]
    assert max(map(len, listed.out.splitlines())) <= 80
    assert CHECKS["salt.apart"].rule in " ".join(listed.out.split())
    refused = run("certify", "--list", "--only", "no.such")
    assert refused.code == 2 and refused.out == "" and refused.err.count("\n") == 1


@pytest.mark.parametrize(
    "words, says",
    [
        ([], "give the URL of a server, or --list"),
        (["127.0.0.1:9"], "cannot be reached|refused|GET /v1/models"),
        (["ftp://x"], "is not the address of a server"),
        (["127.0.0.1:9", "--only", "no.such"], "check 'no.such' is not one of"),
        (["127.0.0.1:9", "--kv-events-replay", "tcp://x:1"], "needs"),
        (["127.0.0.1:9", "--max-tokens-budget", "0"], "0 is not in the range"),
        (["127.0.0.1:9", "--block-size", "0"], "0 is not in the range"),
    ],
)
def test_a_callers_mistake_is_one_line(run: Run, words, says):
    import re

    done = run("certify", *words)
    assert done.code == 2 and done.out == "" and done.err.startswith("error: ")
    assert re.search(says, done.err) and done.err.count("\n") == 1
