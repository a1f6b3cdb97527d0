"""Sending: times, order, errors, the ledger, and what is left after an interruption."""

import asyncio
import json
from collections import Counter

import numpy as np
import pytest

from radixlab.load import Ledger, LoadError, Plan, connect, report, run
from radixlab.load.report import Objective
from radixlab.workloads import Request, open_workload
from tests.load.peer import Clock, Peer


def workload(number: int = 6, label: str = "user {}") -> list[Request]:
    tokens = np.arange(1200, 1210, dtype=np.int32)
    return [Request(tokens, tokens[:3], label=label.format(i)) for i in range(number)]


def sent(peer: Peer, requests, plan: Plan, ledger: Ledger | None = None, **more):
    """Run a plan against a peer on a simulated clock; return ledger and report."""
    ledger, clock = ledger or Ledger(), Clock()

    async def main():
        async with peer.api() as api:
            client = await connect(api, clock=clock)
            return await run(client, plan, requests, ledger, sleep=clock.sleep, **more)

    ended = asyncio.run(main())
    return ledger, report(ledger, ended, len(requests), Objective(ttft_s=1.0))


def adds_up(result, number: int) -> None:
    assert result.sent == result.finished + result.failed + result.aborted
    assert result.sent + result.not_sent == number
    assert sum(result.errors.values()) == result.failed


# ---- times and order


@pytest.mark.parametrize("seed", range(3))
def test_requests_are_sent_when_they_are_due(seed: int) -> None:
    ledger, result = sent(Peer(), workload(), Plan(rate=2, seed=seed))
    assert [line.sent_s for line in ledger] == pytest.approx([line.due_s for line in ledger])
    assert [line.index for line in ledger] == list(range(6))
    again, _ = sent(Peer(), workload(), Plan(rate=2, seed=seed))
    assert [line.due_s for line in again] == [line.due_s for line in ledger]
    assert result.duration_s == pytest.approx(ledger.lines[-1].due_s)


@pytest.mark.parametrize("concurrency", [1, 3, 10])
def test_a_closed_loop_has_so_many_requests_in_flight(concurrency: int) -> None:
    peer, most, flying = Peer(), 0, 0
    complete = peer._stream

    async def counted(body, how):
        nonlocal most, flying
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.005)
        flying -= 1
        async for part in complete(body, how):
            yield part

    peer._stream = counted
    _, result = sent(peer, workload(8), Plan(concurrency=concurrency))
    assert most == min(8, concurrency) and result.finished == 8


def test_a_turn_waits_for_the_turn_before_it() -> None:
    chats = list(open_workload("multi-turn-chat", limit=30).requests())
    ledger, result = sent(Peer(), chats, Plan(concurrency=16, shrink=50))
    over = {}
    for line in sorted(ledger, key=lambda line: line.index):
        assert over.get(line.session, 0.0) <= line.sent_s
        over[line.session] = line.over_s
    order = [(line.session, line.turn) for line in ledger]
    for session in {session for session, _ in order}:
        turns = [turn for name, turn in order if name == session]
        assert turns == sorted(turns)
    assert sum(each.requests for each in result.by_session) == 30
    assert sum(each.requests for each in result.by_turn) == 30


# ---- what is sent


@pytest.mark.parametrize(("takes", "size"), [(200_000, 128_000), (40_000, 32_000), (501, 500)])
def test_token_ids_are_taken_modulo_the_largest_size_that_the_server_takes(takes, size) -> None:
    peer = Peer(vocab_size=takes)
    tokens = np.array([3, 127_999, 70_000], np.int32)
    sent(peer, [Request(tokens, tokens)], Plan(rate=1))
    assert peer.bodies[0]["prompt"] == [token % size for token in (3, 127_999, 70_000)]


def test_a_server_without_token_ids_gets_words_that_share_what_the_ids_share() -> None:
    peer = Peer(vocab_size=None)
    a, b = np.array([5, 900, 31], np.int32), np.array([5, 900, 32], np.int32)
    ledger, _ = sent(peer, [Request(a, a), Request(b, b)], Plan(rate=1))
    first, second = (body["prompt"].split() for body in peer.bodies)
    assert first[:2] == second[:2] and first[2] != second[2] and len(first) == 3
    assert {line.sent_tokens for line in ledger} == {None}


def test_a_salt_goes_with_its_request() -> None:
    peer, tokens = Peer(), np.array([1], np.int32)
    salted = Request(tokens, tokens, namespace=("salt", "tenant-3"))
    sent(peer, [salted, Request(tokens, tokens)], Plan(rate=1))
    assert [body.get("cache_salt") for body in peer.bodies] == ["tenant-3", None]
    assert all(body["temperature"] == 0 and body["ignore_eos"] for body in peer.bodies)


# ---- errors


KINDS = {
    "400": "400 context_length_exceeded",
    "401": "401",
    "413": "413",
    "429": "429",
    "500": "500",
    "503": "503",
    "504": "504",
    "no end": "cut off",
    "no json": "cut off",
    "error event": "error in the stream x",
    "cut": "cut by the server: timeout",
}


@pytest.mark.parametrize("how", KINDS)
def test_an_error_is_counted_by_its_kind_and_ends_only_its_request(how: str) -> None:
    ledger, result = sent(Peer({1: how, 4: how}), workload(), Plan(rate=5))
    adds_up(result, 6)
    assert (result.finished, result.failed) == (4, 2)
    assert result.errors == {KINDS[how]: 2}
    assert [line.index for line in ledger.of("failed")] == [1, 4]


@pytest.mark.parametrize("how", ["no details", "no usage"])
def test_unknown_cached_tokens_are_unknown_and_not_zero(how: str) -> None:
    _, result = sent(Peer({0: how, 1: how}), workload(), Plan(rate=5))
    assert (result.num_without_cached_tokens, result.all.requests) == (2, 4)
    assert result.all.hit_rate == 4 / 40


def test_a_server_that_cannot_be_reached_is_said_in_one_line() -> None:
    from openai import AsyncOpenAI

    async def main():
        async with AsyncOpenAI(base_url="http://127.0.0.1:1/v1", api_key="x", max_retries=0) as api:
            await connect(api)

    with pytest.raises(LoadError, match=r"127.0.0.1:1/v1/: connection") as refused:
        asyncio.run(main())
    assert "\n" not in str(refused.value)


# ---- the ledger


def test_the_ledger_adds_up_and_is_in_the_file_line_by_line(tmp_path) -> None:
    path = tmp_path / "run.jsonl"
    seen: list[int] = []

    def on_line(line) -> None:
        seen.append(len(path.read_text("utf-8").splitlines()))

    ledger = Ledger(path)
    _, result = sent(Peer({2: "500"}), workload(), Plan(rate=5), ledger, on_line=on_line)
    assert seen == [1, 2, 3, 4, 5, 6]  # each line is there when its request is over
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert Counter(line["status"] for line in lines) == {"finished": 5, "failed": 1}
    done = [line for line in lines if line["status"] == "finished"]
    assert sum(line["prompt_tokens"] for line in done) == result.all.prompt_tokens == 50
    assert sum(line["cached_tokens"] for line in done) == result.all.cached_tokens == 5
    assert sum(line["output_tokens"] for line in done) == result.output_tokens == 15
    adds_up(result, 6)


def test_an_interruption_loses_nothing(tmp_path) -> None:
    path, clock = tmp_path / "run.jsonl", Clock()
    ledger = Ledger(path)
    peer = Peer({3: "hang", 4: "hang", 5: "hang"})

    async def main():
        async with peer.api() as api:
            client = await connect(api, clock=clock)
            running = asyncio.ensure_future(run(client, Plan(concurrency=3), workload(50), ledger))
            while len(peer.bodies) < 6:
                await asyncio.sleep(0)
            running.cancel()
            return await running

    ended = asyncio.run(main())
    result = report(ledger, ended, 50)
    assert ended.was_interrupted
    assert (result.finished, result.aborted, result.not_sent) == (3, 3, 44)
    assert len(path.read_text("utf-8").splitlines()) == 6


def test_after_the_given_time_nothing_is_sent_and_what_runs_is_aborted() -> None:
    peer = Peer({1: "hang"})
    _, result = sent(peer, workload(50), Plan(concurrency=2), stop_after_s=1.0)
    adds_up(result, 50)
    assert result.aborted >= 1 and result.not_sent > 0


# ---- the report


def test_the_report_measures_what_the_lines_say() -> None:
    from radixlab.load.ledger import Line
    from radixlab.load.run import Ended

    ledger = Ledger()
    for i in range(10):
        gaps = (0.01, 0.03)
        times = dict(sent_s=float(i), first_token_s=i + 0.1 * (i + 1), over_s=i + 2.0)
        ledger.write(
            Line(
                i,
                "finished",
                gaps_s=gaps,
                prompt_tokens=100,
                cached_tokens=10 * i,
                output_tokens=3,
                session=f"s{i % 2}",
                turn=i // 2,
                **times,
            )
        )
    result = report(ledger, Ended(20.0, False), 12, Objective(0.45, 0.02))
    assert result.ttft_s.p50 == pytest.approx(0.5) and result.ttft_s.max == pytest.approx(1.0)
    assert result.inter_token_s.mean == pytest.approx(0.02)
    assert (result.num_good, result.goodput_per_s) == (4, 4 / 20)
    assert [each.hit_rate for each in result.by_session] == [0.4, 0.5]
    assert [each.cached_tokens for each in result.by_turn] == [10, 50, 90, 130, 170]
    assert report(ledger, Ended(20.0, False), 12, Objective(0.45, 0.019)).num_good == 0
    assert report(Ledger(), Ended(0.0, False), 3).as_json()["ttft_s"]["p50"] is None
