"""The whole engine over a real model: time to first token and throughput, cache on and off.

With the cache off every request has a namespace of its own: the same code, which then finds
nothing. The weights are random, for what they say does not change how long they take.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from radixlab.bench.attention_clocks import cpu_us, one_thread
from radixlab.bench.e2e_models import (
    QUICK,
    QWEN,
    SMALL,
    WIDE,
    Clocked,
    Transformers,
    random_model,
)
from radixlab.bench.e2e_sampled import (
    PEER_HEADER,
    STEP_HEADER,
    peer_cases,
    peer_rows,
    step_rows,
    what_peers,
    what_step,
)
from radixlab.bench.goals import LEAST_ROUNDS
from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.tokens import TokenArray
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine
from radixlab.model.config import ModelConfig
from radixlab.model.llama import Llama
from radixlab.model.runner import Runner, dense_logits
from radixlab.model.sampler import Sampler, SamplingParams
from radixlab.workloads import open_workload

HEADER = (
    "workload",
    "contender",
    "first token, ms",
    "first token ÷ cache on",
    "tokens/s",
    "all at once ÷ cache on",
    "prompts cached",
    "% of a step not the model",
)
WORKLOADS = ("shared-prompt", "few-shot", "multi-turn-chat", "diverse")
ON, OFF, PEER = "cache on", "cache off", "transformers"
BLOCK_SIZE = 16
NUM_OUTPUT_TOKENS = 16
GREEDY = Sampler(SamplingParams())
Prompts = list[TokenArray]


@dataclass(frozen=True, slots=True)
class Round:
    """What one contender did in one round."""

    first_token_ms: float
    """Median over the requests, one in flight."""
    s_per_token: float
    """Prompt and answer, all requests at once."""
    cached: str
    """Prompt tokens found in the cache, of all, one in flight; empty where nobody says."""


def measure_e2e(command: str, rounds: int | None, quick: bool, progress: Progress) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds, sizes = rounds or (1 if quick else 3), QUICK if quick else SMALL
    document, num_questions = (600, 4) if quick else (4096, 8)
    workloads = {name: _prompts(name, 4 if quick else 16, sizes) for name in WORKLOADS}
    workloads |= {f"{document:,} + questions": _questions(document, num_questions, sizes)}
    turns, cases = 1 if quick else max(rounds, LEAST_ROUNDS), peer_cases(quick)
    num_rounds = len(workloads) * rounds + 1 + len(cases) * turns + turns
    with one_thread(), progress(num_rounds, "e2e", "round") as advance:
        model = random_model(sizes)
        dense_logits(model, [1, 2, 3])  # what is loaded late is loaded now
        peer, version = _peer(model)
        rows = list[list[Cell]]()
        for name, prompts in workloads.items():
            rows += _rows(name, prompts, model, peer, rounds, advance)
        wide, batch, num_steps = (QUICK, 4, 8) if quick else (WIDE, 16, 24)
        rows.append(_share_row(wide, batch, num_steps))
        advance()
        against = peer_rows(model, peer, cases, turns, advance)
        large = QUICK if quick else QWEN
        drawn = step_rows(large, turns, advance)
    return TableReport(
        "End to end",
        command,
        _what(sizes, rounds, version),
        HEADER,
        rows,
        [
            TableReport("peers", command, what_peers(sizes), PEER_HEADER, against),
            TableReport("sampled step", command, what_step(large, turns), STEP_HEADER, drawn),
        ],
    )


# ---- what is asked


def _prompts(workload: str, num_requests: int, sizes: ModelConfig) -> Prompts:
    requests = open_workload(workload, num_requests).requests()
    return [request.prompt % np.int32(sizes.vocab_size) for request in requests]


def _questions(document: int, num_questions: int, sizes: ModelConfig) -> Prompts:
    """One long document, and questions of 32 tokens about it; the first finds nothing."""
    random = np.random.default_rng(0)
    tokens = random.integers(sizes.vocab_size, size=(1, document), dtype=np.int32)
    questions = random.integers(sizes.vocab_size, size=(num_questions, 32), dtype=np.int32)
    return list(np.hstack((np.repeat(tokens, num_questions, 0), questions)))


# ---- how it is served


def _engine(model: Llama, prompts: Prompts, max_tokens: int) -> Engine:
    """Make an engine with room for all prompts at once: its cache is compared, not its size."""
    num_blocks = sum(-(-(len(prompt) + max_tokens) // BLOCK_SIZE) for prompt in prompts)
    cache = CacheConfig(num_blocks, BLOCK_SIZE)
    return Engine(KVCacheManager(cache), Runner(model, cache), SchedulerConfig(max_running=16))


def _ask(engine: Engine, number: int, prompt: TokenArray, max_tokens: int, is_on: bool) -> None:
    namespace = None if is_on else ("salt", f"request {number}")
    engine.add_request(prompt, max_tokens, sampler=GREEDY, namespace=namespace)


def _serve(model: Llama, prompts: Prompts, is_on: bool) -> Round:
    """Serve the prompts twice, on new engines: one in flight for its first token, then all."""
    engine, first_us = _engine(model, prompts, 1), []
    for number, prompt in enumerate(prompts):
        _ask(engine, number, prompt, 1, is_on)
        first_us.append(cpu_us(lambda: _drain(engine)))
    stats = engine.stats()
    busy = _engine(model, prompts, NUM_OUTPUT_TOKENS)
    for number, prompt in enumerate(prompts):
        _ask(busy, number, prompt, NUM_OUTPUT_TOKENS, is_on)
    all_us = cpu_us(lambda: _drain(busy))
    cached = f"{stats.cached_tokens / stats.prompt_tokens:.0%}"
    return Round(statistics.median(first_us) / 1e3, all_us / 1e6 / _num_tokens(prompts), cached)


def _drain(engine: Engine) -> None:
    while engine.has_work:
        engine.step()


def _num_tokens(prompts: Prompts) -> int:
    return sum(map(len, prompts)) + NUM_OUTPUT_TOKENS * len(prompts)


# ---- the peer


def _peer(model: Llama) -> tuple[Transformers | None, str]:
    """Return the peer, if it is installed, and what to say of it."""
    try:
        peer = Transformers(model)
    except ImportError as error:
        return None, f"Not run: transformers: {error}"
    return peer, peer.name


def _serve_by_peer(peer: Transformers, prompts: Prompts) -> Round:
    """Serve prompts of one length: each alone for its first token, then all as one batch."""
    first_us = []
    for prompt in prompts:
        first_us.append(cpu_us(lambda prompt=prompt: peer.generate([prompt], 1)))  # type: ignore[misc]
    all_us = cpu_us(lambda: peer.generate(prompts, NUM_OUTPUT_TOKENS))
    return Round(statistics.median(first_us) / 1e3, all_us / 1e6 / _num_tokens(prompts), "")


# ---- rows


def _rows(
    name: str,
    prompts: Prompts,
    model: Llama,
    peer: Transformers | None,
    rounds: int,
    advance: Callable[[], object],
) -> list[list[Cell]]:
    """Let all take turns; each round another begins."""
    contenders: dict[str, Callable[[], Round]] = {
        ON: lambda: _serve(model, prompts, True),
        OFF: lambda: _serve(model, prompts, False),
    }
    if peer is not None and len(set(map(len, prompts))) == 1:
        contenders[PEER] = lambda: _serve_by_peer(peer, prompts)
    names, done = list(contenders), dict[str, list[Round]]()
    with quiet_gc():
        for turn in range(rounds):
            first = turn % len(names)
            for contender in names[first:] + names[:first]:
                done.setdefault(contender, []).append(contenders[contender]())
            advance()
    return [_row(name, contender, done[contender], done[ON]) for contender in names]


def _row(name: str, contender: str, ours: list[Round], on: list[Round]) -> list[Cell]:
    first, each = ([r.first_token_ms for r in ours], [r.s_per_token for r in ours])
    return [
        name,
        contender,
        spread(first),
        ratios(first, [r.first_token_ms for r in on]),
        spread(1 / s for s in each),
        ratios(each, [r.s_per_token for r in on]),
        ours[-1].cached,
        "",
    ]


def _share_row(sizes: ModelConfig, batch: int, num_steps: int) -> list[Cell]:
    """Time decode steps of requests that share nothing: how much of one is not the model."""
    random, cache = np.random.default_rng(0), CacheConfig(batch * 8, BLOCK_SIZE)
    runner = Clocked(random_model(sizes), cache)
    engine = Engine(KVCacheManager(cache), runner, SchedulerConfig(max_running=batch))
    for number in range(batch):
        prompt = random.integers(sizes.vocab_size, size=BLOCK_SIZE, dtype=np.int32)
        _ask(engine, number, prompt, num_steps + 1, True)
    engine.step()  # all prompts
    percent = list[float]()
    with quiet_gc():
        for _ in range(num_steps):
            step_us = cpu_us(engine.step) - runner.layout_us
            percent.append(100 * (1 - runner.model_us / step_us))
    heads = f"{sizes.num_heads}/{sizes.num_kv_heads} heads of {sizes.head_dim}"
    what = f"decode, batch {batch}, nothing shared; {sizes.num_layers} layers of {heads}"
    return [what, ON, "", "", "", "", "", spread(percent)]


def _what(sizes: ModelConfig, rounds: int, peer: str) -> str:
    return (
        f"torch {torch.__version__}, one CPU thread, CPU time; a random Llama of "
        f"{sizes.num_layers} layers, hidden size {sizes.hidden_size}, "
        f"{sizes.num_heads}/{sizes.num_kv_heads} heads of {sizes.head_dim}, fp32. The first token "
        "is that of one request in flight, its prompt all to be computed or found: the median over "
        "the requests. tokens/s, and time against the cache's: all at once, prompts and "
        f"{NUM_OUTPUT_TOKENS} tokens of answer each. Cache off: every request in a namespace of "
        f"its own. Median (min - max) of {count(rounds, 'round')} of turns; of the last row, of "
        f"steps. {peer}."
    )
