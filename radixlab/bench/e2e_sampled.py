"""Traffic that shares nothing: our engine beside transformers, and what sampling adds to a step.

A cache that finds nothing must not make the rest slower. So the same random prompts go through our
engine and through one batch of transformers, all at once; what sampling adds is measured on a step
of a model with a large vocabulary. The weights are random, so the logits are flat: for top-p that
is the worst case, since its nucleus holds a third of the vocabulary.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from radixlab.bench.attention_clocks import cpu_us
from radixlab.bench.e2e_models import Transformers, random_model
from radixlab.bench.goals import Goal
from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.tokens import TokenArray
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine
from radixlab.model.config import ModelConfig
from radixlab.model.llama import Llama
from radixlab.model.runner import Runner
from radixlab.model.sampler import Sampler, SamplingParams

PEER_HEADER = ("nothing shared", "contender", "tokens/s", "ours ÷ theirs", "goal")
STEP_HEADER = ("a step of 16 requests", "ms", "÷ greedy", "goal")
KINDS = {
    "greedy": SamplingParams(),
    "temperature 0.8": SamplingParams(0.8),
    "temperature 0.8, top-p 0.9": SamplingParams(0.8, top_p=0.9),
    "temperature 0.8, top-k 50": SamplingParams(0.8, top_k=50),
}
AS_FAST = Goal("≥", 1.0)
STEP_GOALS = {
    "temperature 0.8": Goal("≤", 2.5),
    "temperature 0.8, top-p 0.9": Goal("≤", 1.5),
    "temperature 0.8, top-k 50": Goal("≤", 1.5),
}
BATCH = 16
BLOCK_SIZE = 16


def peer_cases(quick: bool) -> list[tuple[int, int, str]]:
    """List `(prompt tokens, answer tokens, kind)` of each case."""
    if quick:
        return [(32, 4, kind) for kind in KINDS]
    shapes = [(64, 64), (256, 64), (1024, 16)]
    return [(*shape, "greedy") for shape in shapes] + [(256, 64, kind) for kind in list(KINDS)[1:]]


def peer_rows(
    model: Llama,
    peer: Transformers | None,
    cases: list[tuple[int, int, str]],
    rounds: int,
    advance: Callable[[], object],
) -> list[list[Cell]]:
    """Let both answer the same prompts in turns; another one begins in each round."""
    rows = list[list[Cell]]()
    for prompt_len, answer_len, kind in cases:
        prompts = _random_prompts(model.config.vocab_size, prompt_len)
        asked = (prompts, answer_len, KINDS[kind])
        contenders: dict[str, Callable[[], float]] = {"radixlab": partial(serve, model, *asked)}
        if peer is not None:
            contenders[peer.name] = partial(cpu_us, partial(peer.generate, *asked))
        what = f"{BATCH} × {prompt_len:,} tokens, {answer_len} of answer, {kind}"
        num_tokens = BATCH * (prompt_len + answer_len)
        rows += _pair(what, num_tokens, _in_turns(contenders, rounds, advance), rounds)
    return rows


def _pair(what: str, num_tokens: int, us: dict[str, list[float]], rounds: int) -> list[list[Cell]]:
    """Make a row of ours, with the verdict, and one of theirs if they ran."""
    rows: list[list[Cell]] = [
        [what, name, spread(num_tokens / each * 1e6 for each in times), "", ""]
        for name, times in us.items()
    ]
    if len(us) == 2:
        ours, theirs = us.values()
        ratio = ratios(theirs, ours)
        rows[0][3:] = [ratio, AS_FAST.judge(ratio, rounds)]
    return rows


def serve(
    model: Llama, prompts: list[TokenArray], max_tokens: int, params: SamplingParams
) -> float:
    """Answer the prompts on a new engine; return the CPU time in µs."""
    engine = _engine(model, len(prompts), len(prompts[0]) + max_tokens)
    for number, prompt in enumerate(prompts):
        sampler = Sampler(_seeded(params, number))
        engine.add_request(prompt, max_tokens, sampler=sampler)

    def drain() -> None:
        while engine.has_work:
            engine.step()

    return cpu_us(drain)


def step_rows(sizes: ModelConfig, rounds: int, advance: Callable[[], object]) -> list[list[Cell]]:
    """Time decode steps of one batch; each step chooses tokens by another of the `KINDS`."""
    engine = _engine(random_model(sizes), BATCH, BLOCK_SIZE + len(KINDS) * (rounds + 1) + 1)
    requests = [
        engine.add_request(prompt, len(KINDS) * (rounds + 1) + 1)
        for prompt in _random_prompts(sizes.vocab_size, BLOCK_SIZE)
    ]
    engine.step()  # all prompts

    def step(kind: str) -> float:
        for number, request in enumerate(requests):
            request.sampler = Sampler(_seeded(KINDS[kind], number))
        return cpu_us(engine.step)

    for kind in KINDS:
        step(kind)  # what is loaded late is loaded now
    times = _in_turns({kind: partial(step, kind) for kind in KINDS}, rounds, advance)
    rows = list[list[Cell]]()
    for kind, us in times.items():
        ratio, goal = ratios(us, times["greedy"]), STEP_GOALS.get(kind)
        rows.append(
            [kind, spread(t / 1e3 for t in us), ratio, goal.judge(ratio, rounds) if goal else ""]
        )
    return rows


def _in_turns(
    contenders: dict[str, Callable[[], float]], rounds: int, advance: Callable[[], object]
) -> dict[str, list[float]]:
    """Run each once a round, in every round another first; return what each returned."""
    names = list(contenders)
    said: dict[str, list[float]] = {name: [] for name in names}
    with quiet_gc():
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                said[name].append(contenders[name]())
            advance()
    return said


def _engine(model: Llama, num_requests: int, num_tokens: int) -> Engine:
    cache = CacheConfig(num_requests * -(-num_tokens // BLOCK_SIZE), BLOCK_SIZE)
    scheduler = SchedulerConfig(max_running=num_requests)
    return Engine(KVCacheManager(cache), Runner(model, cache), scheduler)


def _seeded(params: SamplingParams, seed: int) -> SamplingParams:
    return SamplingParams(params.temperature, params.top_k, params.top_p, seed)


def _random_prompts(vocab_size: int, num_tokens: int) -> list[TokenArray]:
    random = np.random.default_rng(0)
    return list(random.integers(vocab_size, size=(BATCH, num_tokens), dtype=np.int32))


def what_peers(sizes: ModelConfig) -> str:
    """Say how the rows against transformers are to be read."""
    return (
        f"The same random model, {BATCH} random prompts at once, prompt and answer tokens per "
        "second of CPU time. transformers gets them as one batch without padding (sdpa attention, "
        f"its default cache), with the same sampling rule. Vocabulary of {sizes.vocab_size:,}."
    )


def what_step(sizes: ModelConfig, rounds: int) -> str:
    """Say how the rows about one step are to be read."""
    return (
        f"A whole `Engine.step` that decodes: a random model of {sizes.num_layers} layers, hidden "
        f"size {sizes.hidden_size} and a vocabulary of {sizes.vocab_size:,} (the shape of "
        f"Qwen2-0.5B unless --quick), fp32. Median (min - max) of {count(rounds, 'turn')}."
    )
