"""The command line from outside: what it prints where, and how it refuses."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import radixlab
from radixlab.cache import KVCacheManager
from radixlab.cli import cli, main
from radixlab.cli.lab import lab_command
from radixlab.config import CacheConfig
from radixlab.observe import Recorder

ROOT = Path(__file__).parents[1]

GOOD = '{"timestamp": 0, "input_length": 600, "output_length": 7, "hash_ids": [3, 9]}\n'
RUN_KEYS = [
    "policy",
    "rejected_requests",
    "rejected_prompt_tokens",
    "prompt_tokens",
    "hit_tokens",
    "token_hit_rate",
    "hit_rate_of_all",
    "evicted_blocks",
    "cpu_us_per_request",
]


@dataclass(frozen=True)
class Done:
    code: object
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "80")

    def run(*args: str | Path) -> Done:
        with pytest.raises(SystemExit) as exit:
            main([str(arg) for arg in args])
        return Done(exit.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text(GOOD * 3)
    return path


def test_help_version_and_no_arguments_at_all(run: Run) -> None:
    assert "replay" in run().out
    assert run("--version").out.strip().endswith(radixlab.__version__)
    for command in (["--help"], ["replay", "--help"], ["bench", "tree", "--help"], ["lab", "-h"]):
        done = run(*command)
        assert (done.code, done.err) == (0, "") and done.out.startswith("Usage: radixlab")


def test_help_names_every_command_by_its_first_sentence_and_cuts_none_off(run: Run) -> None:
    for group, words in ((cli, []), (cli.get_command(click.Context(cli), "bench"), ["bench"])):
        assert isinstance(group, click.Group)
        context = click.Context(group)
        shown = " ".join(run(*words, "--help").out.split())
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command and command.help
            sentence = command.get_short_help_str(limit=1000)
            assert f"{name} {sentence}" in shown and not sentence.endswith("...")


def test_help_shows_its_examples_a_line_each(run: Run) -> None:
    lines = [line.strip() for line in run("replay", "--help").out.splitlines()]
    assert "radixlab replay shared-prompt --num-blocks 2000" in lines


def test_replay_prints_a_table_and_nothing_else(run: Run, trace: Path) -> None:
    done = run("replay", trace, "--num-blocks", 200, "--policy", "lru, naive")
    assert (done.code, done.err) == (0, "")
    head, _, _, header, _, lru, naive = done.out.splitlines()
    assert head == f"3 requests of {trace}, 200 blocks of 16 tokens"
    assert header.split()[0] == "policy"
    assert lru.split()[:5] == ["lru", "0", "1,800", "1,184", "0.657778"]
    assert naive.split()[:5] == ["naive", "0", "1,800", "0", "0.000000"]


def test_replay_json_is_one_object_with_these_fields(run: Run, trace: Path) -> None:
    done = run("replay", trace, "--num-blocks", 200, "--policy", "lru,naive", "--json")
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    keys = ["trace", "requests", "contradictions", "num_blocks", "block_size"]
    assert list(report) == [*keys, "runs"]
    assert [report[key] for key in keys] == [str(trace), 3, 0, 200, 16]
    assert [list(run) for run in report["runs"]] == [RUN_KEYS, RUN_KEYS]
    lru = report["runs"][0]
    assert (lru["policy"], lru["hit_tokens"]) == ("lru", 1184)
    assert lru["token_hit_rate"] == lru["hit_tokens"] / lru["prompt_tokens"]


def test_replay_of_a_generator_follows_seed_and_limit(run: Run) -> None:
    def report(seed: int) -> dict[str, object]:
        args = ["replay", "shared-prompt", "--limit", 30, "--num-blocks", 3000, "--json"]
        runs = json.loads(run(*args, "--seed", seed).out)
        assert runs["requests"] == 30
        return {k: v for k, v in runs["runs"][0].items() if k != "cpu_us_per_request"}

    assert report(1) == report(1) != report(2)


def test_requests_that_never_fit_are_counted_and_noted(run: Run, trace: Path) -> None:
    trace.write_text(GOOD + GOOD.replace("600", "900"))
    done = run("replay", trace, "--num-blocks", 38, "--json")
    assert done.code == 0 and done.err.startswith("note: 1 request can never fit in 38 blocks")
    (lru,) = json.loads(done.out)["runs"]
    assert (lru["rejected_requests"], lru["prompt_tokens"]) == (1, 600)
    above, _, _, row, _, *note = run("replay", trace, "--num-blocks", 38).out.splitlines()[2:]
    assert "rejected" in above and row.split()[:6] == [
        *("lru", "1", "600", "0", "0.000000", "0.000000")
    ]
    assert " ".join(note).startswith("note: 1 request can never fit in 38 blocks of 16 tokens")


def test_a_pool_in_which_no_request_fits_is_refused(run: Run, trace: Path) -> None:
    for options in ([], ["--json"], ["--policy", "naive,lru"]):
        done = run("replay", trace, "--num-blocks", 37, *options)
        assert (done.code, done.out) == (2, "")
        assert "none of the 3 requests fits in 37 blocks of 16 tokens" in done.err
        assert "the smallest needs 38 blocks" in done.err


SIZED = ["replay", "diverse", "--num-blocks", "9"]
BAD = {
    "no such command": (["replya"], "replya"),
    "no such option": (["replay", "diverse", "--num-block", "3x"], "num-block"),
    "no trace": (["replay"], "TRACE"),
    "no size": (["replay", "diverse"], "missing option --num-blocks"),
    "size zero": (["replay", "diverse", "--num-blocks", "0"], "--num-blocks"),
    "size negative": (["replay", "diverse", "--num-blocks", "-5"], "--num-blocks"),
    "size beyond memory": (["replay", "diverse", "--num-blocks", "9" * 12], "--num-blocks"),
    "size no number": (["replay", "diverse", "--num-blocks", "many"], "many"),
    "block size zero": ([*SIZED, "--block-size", "0"], "--block-size: 0 is not between 1"),
    "block size no number": ([*SIZED, "--block-size", "16,x"], "--block-size '16,x': must be"),
    "a block size twice": ([*SIZED, "--block-size", "8,16,8"], "8 is named twice"),
    "a block beyond the pool": ([*SIZED, "--block-size", "16,256"], "not a block of 256"),
    "a plot of block sizes": (
        [*SIZED, "--block-size", "8,16", "--plot", "x.png"], "one block size"
    ),
    "a pool for a summary": ([*SIZED, "--summary"], "--num-blocks has no effect on a summary"),
    "a policy for a summary": (
        ["replay", "diverse", "--summary", "--policy", "lru"], "--policy has no effect"
    ),
    "limit zero": ([*SIZED, "--limit", "0"], "--limit"),
    "seed negative": ([*SIZED, "--seed", "-1"], "--seed"),
    "policy of no file": ([*SIZED, "--policy", "no.py:Mine"], "no.py: No such file or directory"),
    "empty policy": ([*SIZED, "--policy", "lru,"], "policy '' is neither FILE.py:NAME nor one of"),
    "missing file": (["replay", "none.jsonl", "--num-blocks", "9"], "none.jsonl: No such file"),
    "missing folder": (["replay", "no/such", "--num-blocks", "9"], "no/such: No such file"),
    "a folder": (["replay", "folder", "--num-blocks", "9"], "folder: Is a directory"),
    "an empty file": (["replay", "empty.jsonl", "--num-blocks", "9"], "empty.jsonl: the file"),
    "a broken line": (["replay", "broken.jsonl", "--num-blocks", "9"], "broken.jsonl, line 2"),
    "a binary file": (["replay", "binary", "--num-blocks", "9"], "binary, line 1: not UTF-8"),
    "policy twice": ([*SIZED, "--policy", "lru,slru, lru"], "lru is named twice"),
    "seed of a file": (["replay", "good.jsonl", "--num-blocks", "99", "--seed", "1"], "--seed has"),
    "sizes that are none": ([*SIZED, "--pool-sizes", "100,-2"], "-2 is not between 1 and"),
    "a size twice": ([*SIZED, "--plot", "x.png", "--pool-sizes", "8,5,8"], "8 is named twice"),
    "swap of no cache": (
        [*SIZED, "--policy", "naive", "--swap-space", "1G", "--kv-bytes-per-token", "4K"],
        "--swap-space has no effect on naive",
    ),
    "bytes of no swap": ([*SIZED, "--kv-bytes-per-token", "4K"], "--kv-bytes-per-token has no"),
    "picture of another kind": ([*SIZED, "--png", "x.svg"], "x.svg: the file must end in .png"),
    "tree of another kind": ([*SIZED, "--dot", "x.png"], "x.png: the file must end in .dot"),
    "plot of another kind": ([*SIZED, "--plot", "x"], "x: the file must end in .png or"),
    "page of another kind": ([*SIZED, "--html", "x.png"], "x.png: the file must end in .html"),
    "page of nothing": ([*SIZED, "--policy", "naive", "--html", "x.html"], "naive"),
    "page in no folder": ([*SIZED, "--html", "no/such/x.html"], "no/such"),
    "a recording alone": (["replay", "run.jsonl"], "run.jsonl is a recording, not a trace"),
    "sizes of a recording": (
        ["replay", "run.jsonl", "--html", "x.html", "--num-blocks", "9"],
        "--num-blocks has no effect on a recording",
    ),
    "a damaged recording": (["replay", "run.jsonl", "--html", "x.html"], "run.jsonl:1: version"),
    "a dash": (["grade", "--csv", "-"], "'-' is not a file"),
    "an empty name": (["grade", "--junit", ""], "'' is not a file"),
    "one file for two": (["grade", "--csv", "x", "--junit", "./x"], "x is named twice"),
    "one file, spelt twice": (
        ["grade", "--csv", "x", "--junit", "folder/../x"], "x is named twice"
    ),
    "a folder for a file": (["grade", "--csv", "folder"], "folder is a folder"),
    "a device for a file": (["grade", "--csv", os.devnull], "is a device or a pipe"),
    "picture of nothing": ([*SIZED, "--policy", "naive", "--png", "x.png"], "naive"),
    "bench rounds": (["bench", "tree", "--rounds", "0"], "--rounds"),
    "bench file": (["bench", "tree", "--write", "no/such/RESULTS.md"], "no/such/RESULTS.md"),
    "bench device": (["bench", "attention", "--device", "tpu"], "--device"),
    "lab port": (["lab", "--port", "99999"], "--port"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_line_and_exit_code_2(
    run: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "good.jsonl").write_text(GOOD)
    (tmp_path / "broken.jsonl").write_text(GOOD + "oops\n")
    (tmp_path / "run.jsonl").write_text('{"type":"Recording","version":99}\n')
    (tmp_path / "binary").write_bytes(bytes(range(128, 256)))
    args, fault = BAD[name]
    done = run(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert fault in done.err


@pytest.mark.parametrize("option", ["--dot", "--png"])
@pytest.mark.parametrize("place", ["no/such/picture", "folder"])
def test_a_picture_that_cannot_be_written_fails_before_the_replay(
    run: Run, option: str, place: str, tmp_path: Path, trace: Path
) -> None:
    (tmp_path / "folder").mkdir()
    done = run("replay", trace, "--num-blocks", 200, option, tmp_path / place)
    assert done.code == 2 and done.out == "" and done.err.startswith("error: ")
    assert place in done.err and done.err.count("\n") == 1


def test_pictures_are_written(run: Run, tmp_path: Path, trace: Path) -> None:
    pytest.importorskip("graphviz", reason="pictures of the tree need graphviz")
    pytest.importorskip("matplotlib", reason="pictures of the blocks need matplotlib")
    dot, png = tmp_path / "tree.dot", tmp_path / "cache.png"
    done = run("replay", trace, "--num-blocks", 200, "--dot", dot, "--png", png, "--json")
    assert done.code == 0 and json.loads(done.out)["requests"] == 3
    assert "digraph" in dot.read_text(encoding="utf-8")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_page_plays_a_run_or_a_recording(run: Run, tmp_path: Path, trace: Path) -> None:
    page, recording = tmp_path / "run.html", tmp_path / "run.jsonl"
    done = run("replay", trace, "--num-blocks", 200, "--html", page, "--json")
    assert done.code == 0 and json.loads(done.out)["requests"] == 3
    text = page.read_text("utf-8")
    assert "openPage(" in text and '["RequestFinished",' in text and " MB" in done.err
    cache = KVCacheManager(CacheConfig(num_blocks=8, block_size=2))
    with Recorder(cache, recording):
        cache.release(cache.allocate([1, 2, 3]))
    done = run("replay", recording, "--html", page)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"{page}: 5 events, ")
    whole = recording.read_text()
    recording.write_text(re.sub(r'"num_events":\d+', '"num_events":null', whole))
    assert "note: " in run("replay", recording, "--html", page).err


def test_a_picture_refused_for_its_trace_leaves_no_file(run: Run, tmp_path: Path) -> None:
    png = tmp_path / "cache.png"
    assert run("replay", tmp_path / "none.jsonl", "--num-blocks", 9, "--png", png).code == 2
    assert not png.exists()


def test_bench_tree_prints_json_and_writes_its_section(run: Run, tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    done = run("bench", "tree", "--quick", "--limit", 5, "--json", "--write", results)
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    assert report["requests"] == 5 and report["command"] == "radixlab bench tree --limit 5 --quick"
    text = results.read_text(encoding="utf-8")
    assert text.startswith("<!-- begin bench tree -->") and "÷ floor" in text


@pytest.mark.skipif(bool(importlib.util.find_spec("torch")), reason="torch is installed")
def test_attention_without_torch_is_one_line(run: Run) -> None:
    alone = run("bench", "attention", "--quick")
    assert alone.code == 2 and alone.err.startswith("error: radixlab.attention needs torch")


def test_a_narrow_encoding_is_no_traceback(trace: Path) -> None:
    command = [sys.executable, "-m", "radixlab", "replay", str(trace), "--num-blocks", "200"]
    environment = os.environ | {"PYTHONIOENCODING": "koi8-r"}  # it has no "µ"
    done = subprocess.run(command, capture_output=True, timeout=60, env=environment, cwd=ROOT)
    assert done.returncode == 0 and b" ?s/request" in done.stdout and done.stderr == b""


def test_the_module_is_the_command(trace: Path) -> None:
    command = [sys.executable, "-m", "radixlab", "replay", str(trace), "--num-blocks", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="SIGINT to a child is POSIX")
def test_an_interrupt_is_clean(tmp_path: Path) -> None:
    fifo = tmp_path / "trace.jsonl"  # the command waits in it, so the signal has a place to land
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "radixlab", "replay", str(fifo), "--num-blocks", "9"]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    with fifo.open("w") as writer:  # opens once the child reads
        writer.write(GOOD)
        writer.flush()
        time.sleep(0.2)
        out = err = None
        while err is None:  # Python drops an interrupt that comes in the wrong corner of an import
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = child.communicate(timeout=10)
    assert (child.returncode, out, err.strip()) == (130, "", "interrupted")


def test_lab_opens_the_copy_of_the_first_notebook_and_passes_the_rest_on(tmp_path: Path) -> None:
    command = lab_command(tmp_path, ["--no-browser", "-y"])
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert "--LabApp.default_url=/lab/tree/work/00_start_here.ipynb" in command
    assert ("--allow-root" in command) == (hasattr(os, "geteuid") and os.geteuid() == 0)
    assert command[-2:] == ["--no-browser", "-y"]


def test_lab_serves_the_repository_headless(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    notebook = tmp_path / "course" / "notebooks" / "00_start_here.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    port = free_port()
    lab = [sys.executable, "-m", "radixlab", "lab", "--no-browser", "--port", port, "--token", "T"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"RADIXLAB_HOME": str(tmp_path / "home"), "PYTHONPATH": path}
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"JUPYTER_{name}_DIR"] = str(tmp_path / name)
    log = tmp_path / "log"
    with log.open("w") as out:
        child = subprocess.Popen(
            list(map(str, lab)), cwd=notebook.parent, env=environment, stdout=out, stderr=out
        )
    try:
        base = f"http://localhost:{port}"
        wait_until_served(f"{base}/api/status?token=T", child, log)
        found = json.loads(fetch(f"{base}/api/contents/notebooks/00_start_here.ipynb?token=T"))
        page = fetch(f"{base}/lab?token=T")
    finally:
        child.terminate()
        child.wait(timeout=60)
    assert found["type"] == "notebook"
    assert "@jupyterlab/apputils-extension:announcements" in page  # in the list of disabled ones


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])


def wait_until_served(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert child.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            fetch(url)
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())
