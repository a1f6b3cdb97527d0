"""The claims on the clock: a real model answers with the cache and without it, in turns.

Without the cache every request has a namespace of its own: the same code, which then finds nothing.
Times are CPU time of one thread, and only ratios of times inside one round are judged.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from radixlab.bench.attention_clocks import cpu_us
from radixlab.bench.claims import FASTER, SOONER
from radixlab.bench.claims_counts import Counted, count
from radixlab.bench.claims_traffic import IN_FLIGHT, Setting, Shape
from radixlab.bench.measure import Spread, quiet_gc, ratios
from radixlab.bench.report import text_table
from radixlab.bench.table import Cell, Shown
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine
from radixlab.model.llama import Llama
from radixlab.model.loader import load_model
from radixlab.model.named import find_folder
from radixlab.model.runner import Runner, dense_logits
from radixlab.model.sampler import Sampler, SamplingParams
from radixlab.workloads import Request

GREEDY = Sampler(SamplingParams())
SHAPE = Shape(num_prefixes=2, per_prefix=6, answer=16)
QUICK = replace(SHAPE, per_prefix=2)
HEADER = (
    "traffic",
    "all:\ntokens",
    "all:\ntime",
    f"all:\n{FASTER.limit}",
    "first:\ntokens",
    "first:\ntime",
    f"first:\n{SOONER.limit}",
)


def settings(shape: Shape = SHAPE) -> dict[str, Setting]:
    """Return what is timed: traffic that shares much, and conditions under which claims fail."""
    return {
        f"{shape.shared:,} tokens shared": Setting(shape),
        "64 tokens shared": Setting(replace(shape, shared=64)),
        "15 shared: below a block": Setting(replace(shape, shared=15)),
        "a pool of 80 blocks": Setting(shape, num_blocks=80),
        "256 tokens of answer": Setting(replace(shape, answer=256)),
    }


@dataclass(frozen=True, slots=True)
class Timed:
    """One traffic on one model: times with the cache and without, round by round."""

    traffic: str
    counted: Counted
    """The same traffic, counted."""
    first_us: list[float]
    """Of the median request, running alone, until its first token."""
    control_first_us: list[float]
    all_us: list[float]
    """All requests at once, prompts and answers."""
    control_all_us: list[float]
    control_us_per_token: float
    """What the model takes for a prompt token that is not found."""

    @property
    def sooner(self) -> Spread:
        """First token: without ÷ with the cache."""
        return ratios(self.control_first_us, self.first_us)

    @property
    def faster(self) -> Spread:
        """All requests: without ÷ with the cache."""
        return ratios(self.control_all_us, self.all_us)

    @property
    def verdicts(self) -> tuple[str, str]:
        """Whether the claims on all requests and on the first token hold by the median ratio."""
        held = FASTER.holds(self.faster.median), SOONER.holds(self.sooner.median)
        return ("holds" if held[0] else "fails"), ("holds" if held[1] else "fails")


@dataclass(frozen=True, slots=True)
class TimeTrial:
    """The claims on the clock; it prints as a table."""

    rows: tuple[Timed, ...]

    def cells(self) -> list[list[Cell]]:
        """Return the rows of the table: by tokens, by time, and the verdict by time."""
        found = list[list[Cell]]()
        for one in self.rows:
            faster, _, sooner = one.counted.cases()
            tokens = Shown(faster.figure, ".1f"), Shown(sooner.figure, ".1f")
            all_holds, first_holds = one.verdicts
            row = tokens[0], one.faster, all_holds, tokens[1], one.sooner, first_holds
            found.append([one.traffic, *row])
        return found

    def __str__(self) -> str:
        return text_table(HEADER, [list(map(str, row)) for row in self.cells()])

    __repr__ = __str__


def load(name: str) -> Llama:
    """Load a model that the course knows by name; raise `MissingFileError` if it is not here."""
    model = load_model(find_folder(name), torch.float32)
    dense_logits(model, [1, 2, 3])  # what is loaded late is loaded now
    return model


def time_settings(
    model: Llama, wanted: dict[str, Setting], rounds: int, advance: Callable[[], object]
) -> Iterator[Timed]:
    """Time each traffic with the cache and without; the two take turns at being first."""
    for traffic, setting in wanted.items():
        requests = list(setting.shape.requests(model.config.vocab_size))
        samples: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        with quiet_gc():
            for turn in range(rounds):
                for is_on in (True, False) if turn % 2 else (False, True):
                    samples[is_on].append(_serve(model, setting, requests, is_on))
                    advance()
        first, every = zip(*samples[True], strict=True)
        control_first, control_every = zip(*samples[False], strict=True)
        counted = count(traffic, requests, setting.cache)
        per_token = statistics.median(control_first) / len(requests[0].prompt)
        yield Timed(
            traffic, counted, [*first], [*control_first], [*every], [*control_every], per_token
        )


def _serve(
    model: Llama, setting: Setting, requests: list[Request], is_on: bool
) -> tuple[float, float]:
    """Serve on two new engines: each request alone for its first token, then all at once."""
    engine, first_us = _engine(model, setting.cache), list[float]()
    for number, request in enumerate(requests):
        _ask(engine, number, request, 1, is_on)
        first_us.append(cpu_us(lambda: _drain(engine)))
    busy = _engine(model, setting.cache)
    for number, request in enumerate(requests):
        _ask(busy, number, request, len(request.output), is_on)
    return statistics.median_high(first_us), cpu_us(lambda: _drain(busy))


def _engine(model: Llama, cache: CacheConfig) -> Engine:
    manager = KVCacheManager(cache)
    return Engine(manager, Runner(model, cache), SchedulerConfig(max_running=IN_FLIGHT))


def _ask(engine: Engine, number: int, request: Request, max_tokens: int, is_on: bool) -> None:
    namespace = None if is_on else ("salt", f"request {number}")
    engine.add_request(request.prompt, max_tokens, sampler=GREEDY, namespace=namespace)


def _drain(engine: Engine) -> None:
    while engine.has_work:
        engine.step()
