"""Load and monitor against our own server, over HTTP."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("fastapi", reason="fastapi is not installed: the extra `serve` brings it")

from openai import AsyncOpenAI  # noqa: E402

from radixlab.load import Ledger, Line, Plan, api_url, connect, reconcile, report, run  # noqa: E402
from radixlab.observe.monitor import Monitor, parse_page, read_page  # noqa: E402
from radixlab.serve.local import serving  # noqa: E402
from radixlab.serve.settings import Settings  # noqa: E402
from radixlab.workloads import Request, Workload, open_workload  # noqa: E402
from tests.test_cli import Run  # noqa: E402
from tests.test_cli import run as cli  # noqa: E402

__all__ = ["cli"]

KEY = "a key for tests"
SMALL = ("--shrink", "32", "--max-tokens", "3", "--api-key", KEY)


@pytest.fixture(scope="module")
def server():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with serving(Settings(num_blocks=400, block_size=4, api_key=KEY)) as served:
        yield served
    torch.set_num_threads(before)


def settled(monitor: Monitor):
    deadline = time.monotonic() + 60
    while True:
        look = monitor.look()
        if (look.figures.running, look.figures.waiting) == (0, 0):
            return monitor.window.latest
        assert time.monotonic() < deadline, "the server does not come to rest"
        time.sleep(0.02)


def loaded(url: str, workload, plan: Plan, key: str | None = KEY, stop_after: int | None = None):
    """Return the ledger, and what comparing it with the server's counters finds.

    The run is interrupted after `stop_after` requests.
    """
    monitor, ledger = Monitor(url, api_key=key), Ledger()

    async def main():
        async with AsyncOpenAI(base_url=api_url(url), api_key=key or "x", max_retries=0) as api:
            client = await connect(api)
            before = settled(monitor)
            running = asyncio.ensure_future(
                run(client, plan, workload.requests(), ledger, on_line=lambda _: over())
            )

            def over() -> None:
                if len(ledger.lines) == stop_after:
                    running.cancel()

            return before, await running

    before, ended = asyncio.run(main())
    return report(ledger, ended, workload.num_requests), reconcile(before, settled(monitor), ledger)


@pytest.mark.parametrize("name", ["multi-turn-chat", "tenants"])
def test_the_servers_counters_equal_the_ledger(server, name: str) -> None:
    plan = Plan(concurrency=4, shrink=32, max_tokens=3)
    result, checked = loaded(server.url, open_workload(name, limit=10), plan)
    assert (result.finished, result.failed, result.not_sent) == (10, 0, 0)
    assert checked.is_exact, checked.rows
    assert [row.quantity for row in checked.rows if row.server and row.ledger] == [
        "requests", "prompt_tokens", "cached_tokens", "output_tokens",
    ]  # fmt: skip


def test_a_chat_finds_more_in_each_later_turn(server) -> None:
    plan = Plan(concurrency=2, shrink=16, max_tokens=2)
    result, _ = loaded(server.url, open_workload("multi-turn-chat", limit=12, seed=5), plan)
    later = result.by_turn[1:]
    assert later and all(each.hit_rate > 0.2 for each in later)
    assert result.all.cached_tokens == sum(each.cached_tokens for each in result.by_turn)


def test_with_preemption_and_disconnects_the_difference_is_explained() -> None:
    prompts = [np.arange(i, i + 9, dtype=np.int32) for i in range(1, 200)]
    long = [Request(prompt, np.zeros(50, np.int32)) for prompt in prompts]
    workload = Workload("short prompts, long answers", len(long), lambda: iter(long))
    with serving(Settings(num_blocks=20, block_size=4)) as small:
        plan = Plan(concurrency=6)
        result, checked = loaded(small.url, workload, plan, key=None, stop_after=8)
        assert result.aborted > 0 and result.not_sent > 0
        assert checked.agrees and not checked.problems, checked.rows
        looked = Monitor(small.url)
        looked.look()
        by_reason = looked.window.by_label("requests", "finished_reason")
        assert by_reason["abort"] <= result.aborted
        assert looked.window.total("preemptions") > 0


def test_a_ledger_that_lost_a_line_or_a_token_does_not_agree() -> None:
    def page(number: int) -> str:
        names = ("request_success_total", "prompt_tokens_total")
        return "".join(
            f"radixlab:{name} {n}\n" for name, n in zip(names, (number, 10 * number), strict=True)
        )

    before, after = (read_page(parse_page(page(n)), n) for n in (1, 2))

    line = Line(0, "finished", 0.0, 1.0, prompt_tokens=10, cached_tokens=0, output_tokens=1)
    ledger = Ledger()
    assert not reconcile(before, after, ledger).agrees
    ledger.write(line)
    assert reconcile(before, after, ledger).agrees
    ledger.lines[0] = replace(line, prompt_tokens=9)
    assert not reconcile(before, after, ledger).agrees
    assert reconcile(after, before, ledger).problems == ("the server was restarted during the run",)


# ---- the commands


def test_the_load_command_reports_as_json_csv_ledger_and_picture(
    server, cli: Run, tmp_path
) -> None:
    files = {end: tmp_path / f"run.{end}" for end in ("csv", "jsonl", "png")}
    done = cli(
        "load", server.url, "--workload", "multi-turn-chat", "--limit", "6", "--rate", "50", *SMALL,
        "--json", "--csv", files["csv"], "--ledger", files["jsonl"], "--plot", files["png"],
        "--check-metrics", "--slo-ttft", "1000",
    )  # fmt: skip
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert (result["sent"], result["finished"], result["num_good"]) == (6, 6, 6)
    assert result["metrics"]["exact"] and "token ids, modulo 500" in done.err
    lines = [json.loads(line) for line in files["jsonl"].read_text("utf-8").splitlines()]
    rows = list(csv.DictReader(files["csv"].open(encoding="utf-8")))
    assert sum(line["cached_tokens"] for line in lines) == result["all"]["cached_tokens"]
    assert sum(int(row["prompt_tokens"]) for row in rows) == result["all"]["prompt_tokens"]
    assert files["png"].stat().st_size > 5_000


def test_the_load_command_prints_tables(server, cli: Run) -> None:
    words = ("--workload", "multi-turn-chat", "--limit", "4", "--concurrency", "2")
    done = cli("load", server.url, *words, *SMALL, "--check-metrics")
    assert done.code == 0, done.err
    for words in ("4 requests sent", "first token", "hit rate", "counters equal the ledger"):
        assert words in done.out


MISTAKES = {
    "no workload": ((), "Missing option '--workload'"),
    "unknown workload": (("--workload", "chatt", "--rate", "1"), "neither a file nor one of"),
    "no times": (("--workload", "agent"), "no times of its own"),
    "two loops": (("--workload", "agent", "--rate", "1", "--concurrency", "2"), "give one"),
    "a word for text": (
        ("--workload", "agent", "--rate", "1", "--prompts", "text", "--vocab-size", "9"),
        "--vocab-size has no effect",
    ),
    "no server": (("--workload", "agent", "--rate", "1"), "connection"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line(cli: Run, case: str) -> None:
    words, why = MISTAKES[case]
    done = cli("load", "http://127.0.0.1:1", *words)
    assert done.code == 2 and done.err.startswith("error: ") and why in done.err
    assert done.err.count("\n") == 1


def test_a_wrong_key_is_one_line_for_both_commands(server, cli: Run) -> None:
    words = ("--workload", "agent", "--rate", "1", "--api-key", "wrong")
    for done in (cli("load", server.url, *words), cli("monitor", server.url, "--once")):
        assert done.code == 2 and "401" in done.err and done.err.count("\n") == 1


def test_ctrl_c_ends_the_run_and_the_ledger_has_all_that_was_sent(server, tmp_path) -> None:
    path = tmp_path / "run.jsonl"
    words = ("--workload", "document-qa", "--concurrency", "3", "--shrink", "32", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "radixlab", "load", server.url, *words, "--ledger", str(path),
         "--api-key", KEY, "--max-tokens", "20"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (path.exists() and path.read_text("utf-8").count("\n") >= 2):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    result = json.loads(out)
    assert process.returncode == 130 and err.rstrip().endswith("interrupted"), err
    assert len(lines) == result["sent"] == result["finished"] + result["aborted"]


def test_the_monitor_reads_our_server(server, cli: Run) -> None:
    done = cli("monitor", server.url, "--once", "--json", "--api-key", KEY)
    assert done.code == 0, done.err
    seen = json.loads(done.out)
    assert (seen["engine"], seen["absent"], seen["num_blocks"]) == ("radixlab", [], 400)
    assert 0 < seen["reuse_rate"] < 1 and seen["blocks_per_request"] > 0
    assert seen["usage"] == 0 and seen["tree_nodes"] > 0 and seen["ttft_s"]["p50"] > 0
    shown = cli("monitor", server.url, "--once", "--window", "0.1", "--api-key", KEY)
    assert "block reuse rate" in shown.out and "no data" in shown.out
    assert "nothing arrives: no request in this window" in shown.out
