"""A name that is not known: every command lists the names it knows, and the nearest of them."""

import click
import pytest
from click.testing import CliRunner

from radixlab.attention.backends import BACKENDS
from radixlab.cache import POLICIES
from radixlab.certify.registry import CHECKS
from radixlab.choices import nearest, not_one_of
from radixlab.cli import COMMANDS, cli, main
from radixlab.cli.shared import OneOf
from radixlab.config import SchedulerConfig
from radixlab.grade.registry import EXERCISES
from radixlab.llm.opening import DTYPES
from radixlab.observe.codec import MARKS, _check_codec
from radixlab.route.rules import RULES
from radixlab.sched.errors import OrderError
from radixlab.sched.order import ORDERS
from radixlab.sched.queue import WaitingQueue
from radixlab.serve.settings import FEEDS, ROUTERS
from radixlab.why.profiles import PROFILES
from radixlab.workloads import GENERATORS, manager_names

WORKLOADS = sorted(GENERATORS)
TRAFFIC = ["conversation", "nothing-shared", "one-hot-prefix", *WORKLOADS]
TOKENIZERS = ["bytes", "tiktoken", "tiny", "smollm2"]
LOG = ["why", "log.jsonl"]
WRONG = {  # words, the wrong one last; the known names; the nearest
    "command": (["replya"], COMMANDS, "replay"),
    "benchmark": (["bench", "rout"], ["tree", "cow", "route"], "route"),
    "model to fetch": (["model", "smolm2"], ["smollm2"], "smollm2"),
    "device of a benchmark": (["bench", "attention", "--device", "cuda1"], ["cpu", "cuda"], "cuda"),
    "rule of a route": (["bench", "route", "--rules", "dynamic"], RULES, "dynamo"),
    "traffic": (["bench", "route", "--traffic", "conversaton"], TRAFFIC, "conversation"),
    "traffic, in part": (["bench", "route", "--traffic", "chat"], TRAFFIC, "multi-turn-chat"),
    "traffic, in capitals": (["bench", "route", "--traffic", "AGENT"], TRAFFIC, "agent"),
    "workload": (["replay", "--num-blocks", "9", "documnt-qa"], WORKLOADS, "document-qa"),
    "workload to send": (["load", "http://localhost:9", "--workload", "fewshot"], WORKLOADS, None),
    "policy": (["replay", "agent", "--num-blocks=9", "--policy", "lruu"], manager_names(), "lru"),
    "policy of a server": (["serve", "tiny", "--policy", "LFU"], POLICIES, "lfu"),
    "model": (["serve", "tny"], ["tiny", "smollm2"], "tiny"),
    "dtype": (["serve", "tiny", "--dtype", "int8"], ["auto", *DTYPES], None),
    "device": (["serve", "tiny", "--device", "gpu"], ["auto", "cpu", "cuda"], None),
    "router": (["serve", "tiny", "--replicas", "2", "--router", "prefixes"], ROUTERS, "prefix"),
    "feed": (["serve", "tiny", "--replicas", "2", "--route-by", "event"], FEEDS, "events"),
    "exercise": (["grade", "8.5.9"], EXERCISES, None),
    "exercise to restore": (["restore", "8.5.9"], EXERCISES, None),
    "notebook": (["reset", "nine"], ["00", "09", "8.5.1"], None),
    "profile": ([*LOG, "--profile", "claud"], PROFILES, None),
    "tokenizer": ([*LOG, "--tokenizer", "byte"], TOKENIZERS, "bytes"),
    "check": (["certify", "localhost:9", "--only", "cachd"], CHECKS, "cached"),
    "check by its id": (["certify", "localhost:9", "--only", "salt.appart"], CHECKS, "salt.apart"),
    "form": (["certify", "localhost:9", "--as", "txt"], ["ids", "text", "chat"], "text"),
    "form of prompts": (
        ["load", "localhost:9", "--workload", "agent", "--prompts", "txt"], ["auto", "ids"], "text"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "known", "near"), WRONG.values(), ids=WRONG)
def test_an_unknown_name_is_told_the_known_ones(words, known, near, capsys, tmp_path, monkeypatch):
    if words[0] in ("why", "serve"):  # they look for a file first, or for a model
        monkeypatch.chdir(tmp_path)
        (tmp_path / "log.jsonl").write_text('{"prompt": "a"}\n{"prompt": "b"}\n')
    with pytest.raises(SystemExit) as done:
        main(words)
    out, err = capsys.readouterr()
    assert done.value.code == 2 and not out and len(err.strip().splitlines()) == 1, err
    assert f"{words[-1]!r} is n" in err and "one of " in err
    assert all(name in err for name in known), err
    assert near is None or f"did you mean {near}?" in err


def test_a_library_call_says_the_same():
    with pytest.raises(OrderError) as error:
        WaitingQueue(None, SchedulerConfig(order="fcsf"))
    assert all(name in str(error.value) for name in ORDERS) and "'fcsf' is not" in str(error.value)
    with pytest.raises(ValueError, match=f"codec 'Delta' is not one of {', '.join(MARKS)}"):
        _check_codec("Delta")
    assert "cpu" in not_one_of("gpu", BACKENDS)


def parameters(command, context):
    yield from command.params
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from parameters(command.get_command(context, name), context)


def test_every_option_with_fixed_names_is_of_that_kind():
    kinds = [type(each.type) for each in parameters(cli, click.Context(cli))]
    assert click.Choice not in kinds and kinds.count(OneOf) >= 4


def test_an_option_of_the_group_is_not_a_command():
    assert "No such option" in CliRunner().invoke(cli, ["--bogus"]).output


@pytest.mark.parametrize("known", [COMMANDS, RULES, TRAFFIC, POLICIES, PROFILES, ROUTERS])
def test_a_known_name_is_its_own_nearest_even_in_capitals(known):
    assert [nearest(name.upper(), known) for name in known] == list(known)
    assert nearest("", known) is None and nearest("zzzzzz", known) is None
