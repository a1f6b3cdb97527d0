"""Hidden inputs, drawn from a seed: sites to deploy to, loads to account for, scrapes to watch.

The same seed gives the same inputs everywhere.
"""

from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np

from radixlab.exercise.metrics import FAULTS
from radixlab.exercise.site import Site
from radixlab.grade.ex5.incidents import HEALTHY, KINDS, Scene, scrapes
from radixlab.grade.ex5.plant import VOCABULARY, Plant, Prompt

# ---- deploy


@dataclass(frozen=True, slots=True)
class Start:
    """How a scripted server comes up, in seconds after it was started."""

    listens_after_s: float
    """It answers from then on …"""
    ready_after_s: float
    """… and is ready from then on; infinite if it never is."""
    loading: int = 503
    """What `/ready` answers before."""


LOADING = (503, 500, 404, 429)
"""What servers answer to `/ready` while they load; each of them on every seed."""


def site(rng: np.random.Generator, host: str, port: int) -> Site:
    """Draw a site."""
    block_size = int(rng.choice([8, 16, 32, 64]))
    documents = rng.integers(3 * block_size, 60 * block_size, int(rng.integers(4, 12)))
    return Site(
        host,
        port,
        block_size,
        tuple(documents.tolist()),
        own_tokens=int(rng.integers(block_size, 6 * block_size)),
        max_running=int(rng.integers(3, 17)),
        answer_ms=int(rng.integers(150, 900)),
        max_wait_ms=int(rng.integers(2_000, 9_000)),
        start_limit_s=float(rng.integers(60, 180)),
    )


def small_site(rng: np.random.Generator, host: str, port: int) -> Site:
    """Draw a site that a real server with the tiny model can serve."""
    documents = rng.integers(4 * 16, 12 * 16, int(rng.integers(4, 7)))
    one = site(rng, host, port)
    return replace(
        one,
        block_size=16,
        document_tokens=tuple(documents.tolist()),
        own_tokens=40,
        max_running=4,
        start_limit_s=600.0,  # a real server needs longer on a machine with little time for it
    )


def sites(seed: int) -> list[tuple[Site, Start]]:
    """Draw sites, with servers that come up at once, slowly, or not at all."""
    rng = np.random.default_rng([seed, 51])
    found = []
    for number in range(6):
        host = str(rng.choice(["127.0.0.1", "0.0.0.0", "::1", "10.0.0.7", "gpu-3.local"]))
        one = site(rng, host, int(rng.integers(1_024, 65_536)))
        listens = float(rng.uniform(0.2, 6)) if number else 0.0
        ready = listens + (float(rng.uniform(2, one.start_limit_s - 15)) if number else 0.0)
        found.append((one, Start(listens, ready)))
    statuses = np.random.default_rng([seed, 61]).permutation(LOADING)  # each on one of those
    for number, loading in zip((1, 2, 4, 5), statuses.tolist(), strict=True):
        found[number] = (found[number][0], replace(found[number][1], loading=loading))
    found[2] = (found[2][0], replace(found[2][1], ready_after_s=np.inf))
    found[3] = (found[3][0], Start(np.inf, np.inf))
    rest = found[4][0]
    found[4] = (rest, replace(found[4][1], ready_after_s=rest.start_limit_s - 8))
    return found


def facts(one: Site) -> list[Any]:
    """Return a site as plain data."""
    return [list(value) if isinstance(value, tuple) else value for value in astuple(one)]


# ---- ledger


@dataclass(frozen=True, slots=True)
class Load:
    """Prompts to send to a server that was used before, and what else happens meanwhile."""

    name: str
    prompts: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...] = ()
    """Prompts of others, before."""
    restarts: tuple[int, ...] = ()
    """Numbers of prompts after which the server restarts."""
    strangers: tuple[int, ...] = ()
    """While these are served, somebody else asks as well."""
    refused: tuple[int, ...] = ()
    """These meet a full queue."""
    num_host_blocks: int = 0


ANSWER = 5
"""Tokens of an answer, at most."""


def loads(seed: int) -> list[Load]:
    """Draw loads: plain, on two tiers, with a restart, with strangers, and with refusals."""
    rng = np.random.default_rng([seed, 52])
    num = [int(n) for n in rng.integers(10, 15, 5)]
    talk = [_prompts(rng, n) for n in num]
    earlier = [_prompts(rng, 24) for _ in num]
    some = [sorted(map(int, rng.choice(np.arange(1, n), 3, replace=False))) for n in num]
    return [
        Load("a new server", talk[0]),
        Load("a server with two tiers", _crowd(seed), earlier[1], num_host_blocks=200),
        Load("a server that restarts", talk[2], earlier[2], restarts=tuple(some[2][1:2])),
        Load("a server with other clients", talk[3], earlier[3], strangers=tuple(some[3])),
        Load("a server that refuses some", talk[4], earlier[4], refused=tuple(some[4])),
    ]


def _crowd(seed: int) -> tuple[tuple[int, ...], ...]:
    """Draw long prompts, each asked three times or more.

    The device cannot hold all of them, so that the host has most when they come again. The last
    two come again at once, and the device has them still.
    """
    rng = np.random.default_rng([seed, 62])
    asked = [rng.integers(10, VOCABULARY, int(rng.integers(90, 120))).tolist() for _ in range(8)]
    return tuple(map(tuple, asked * 2 + asked[-2:] + asked))


def real_load(seed: int) -> Load:
    """Draw a load for a real server with the tiny model."""
    rng = np.random.default_rng([seed, 57])
    return Load("a real server", _prompts(rng, 10, 256), _prompts(rng, 4, 256))


def _prompts(
    rng: np.random.Generator, num: int, vocabulary: int = VOCABULARY
) -> tuple[tuple[int, ...], ...]:
    def tokens(least: int, most: int) -> Prompt:
        drawn: Prompt = rng.integers(10, vocabulary, int(rng.integers(least, most))).tolist()
        return drawn

    documents = [tokens(40, 120) for _ in range(4)]
    return tuple((*documents[int(rng.integers(4))], *tokens(2, 30)) for _ in range(num))


# ---- monitor


@dataclass(frozen=True, slots=True)
class Watch:
    """Scrapes of a server, and the window to look at them through."""

    name: str
    window: int
    texts: tuple[str, ...]


def watches(seed: int) -> list[Watch]:
    """Draw scrapes: incidents that begin and end, restarts, quiet times, and short windows."""
    rng = np.random.default_rng([seed, 53])
    drawn = [int(n) for n in rng.integers(0, 1 << 30, 3)]
    incident = _series(seed, "thrash")[4:32]
    restarted = _series(seed, "pool_too_small")[:24]
    healthy = _series(seed, HEALTHY)[:20]
    return [
        Watch("healthy, then thrash", int(rng.integers(3, 8)), incident),
        Watch("one interval at a time", 1, incident),
        Watch("a window longer than the run", 100, healthy),
        Watch("two restarts", int(rng.integers(3, 7)), _restarts(drawn[0])),
        Watch("a restart with a small pool", 4, _with_an_empty_scrape(restarted, NUM_BEFORE)),
        Watch("quiet times", 3, _quiet(drawn[1])),
        Watch("long answers", 2, _long_answers(drawn[2])),
    ]


def _with_an_empty_scrape(texts: tuple[str, ...], at: int) -> tuple[str, ...]:
    """Add the scrape of a server that has just started: whoever scrapes often sees one."""
    return (*texts[:at], Plant(64).scrape(), *texts[at:])


def _restarts(seed: int) -> tuple[str, ...]:
    """Scrape a server that restarts twice; the second time, requests come before the scrape."""
    rng = np.random.default_rng(seed)
    texts, num_scrapes = list[str](), (16, 10, 8)
    for number, num in enumerate(num_scrapes):
        plant, prompts = _mixed_plant(rng), _prompts(rng, 60)
        if number != 2:
            texts.append(plant.scrape())
        for scrape in range(num):
            for prompt in prompts[3 * scrape : 3 * scrape + (3 if scrape else 1)]:
                plant.serve(list(prompt), ANSWER)
            texts.append(plant.scrape())
    return tuple(texts)


def _mixed_plant(rng: np.random.Generator) -> Plant:
    """Make a server with all kinds of labels: two tiers, and answers that end in two ways."""
    eos_ids = range(int(rng.integers(1, 5)), VOCABULARY, 6)
    return Plant(36, 8, num_host_blocks=12, eos_ids=eos_ids)


def _quiet(seed: int) -> tuple[str, ...]:
    """Scrape a server to which nobody comes for a while, at the beginning and later."""
    rng = np.random.default_rng(seed)
    plant, prompts, texts = _mixed_plant(rng), _prompts(rng, 40), list[str]()
    for number in (0, 0, 0, 0, 3, 2, 0, 1, 0, 0, 0, 0, 2, 4, 0, 0, 0, 1):
        for index in range(number):
            plant.serve(list(prompts[len(texts) + index]), ANSWER)
        texts.append(plant.scrape())
    return tuple(texts)


def _long_answers(seed: int) -> tuple[str, ...]:
    """Scrape a server where some windows have blocks and no request that finished."""
    rng = np.random.default_rng(seed)
    plant, texts = Plant(400, 8), list[str]()
    for prompt in _prompts(rng, 6):
        plant.add(list(prompt), 40)
        for _ in range(4):
            for _ in range(12):
                plant.step()
            texts.append(plant.scrape())
    return tuple(texts)


# ---- alerts and diagnosis

NUM_BEFORE, NUM_AFTER, NUM_HEALTHY = 16, 30, 60
BURST_AT, BUSY_AT = 8, 36


def timeline(seed: int, kind: str) -> Scene:
    """Return the scene of a series: healthy all the time, or a fault after `NUM_BEFORE` scrapes."""
    burst_at = BURST_AT if kind == HEALTHY or seed % 2 else None
    if kind == HEALTHY:
        return Scene(kind, seed, NUM_HEALTHY, 0, burst_at, BUSY_AT)
    return Scene(kind, seed, NUM_BEFORE, NUM_AFTER, burst_at)


def timelines(seed: int) -> dict[str, tuple[str, ...]]:
    """Return the scrapes of the series for alerts, by kind."""
    return {kind: _series(seed, kind) for kind in KINDS}


def _series(seed: int, kind: str) -> tuple[str, ...]:
    drawn = _seeds(seed, 54, len(KINDS))
    return scrapes(timeline(drawn[KINDS.index(kind)], kind))


WINDOW = 12
"""Scrapes that a diagnosis sees."""


@dataclass(frozen=True, slots=True)
class Case:
    """A window of scrapes to name the fault of."""

    name: str
    fault: str | None
    texts: tuple[str, ...]


def cases(seed: int) -> list[Case]:
    """Draw windows: for each fault two of one server and one of another, and healthy ones."""
    found = list[Case]()
    series = timelines(seed)
    other = dict(zip(FAULTS, _seeds(seed, 55, len(FAULTS)), strict=True))
    for fault in FAULTS:
        middle = NUM_BEFORE + 4 + WINDOW
        second = scrapes(Scene(fault, other[fault], 6, 3 + WINDOW))
        found += [
            Case(f"{fault}, soon after it began", fault, series[fault][middle - WINDOW : middle]),
            Case(f"{fault}, later", fault, series[fault][-WINDOW:]),
            Case(f"{fault}, on another server", fault, second[-WINDOW:]),
        ]
    healthy = series[HEALTHY]
    bursts, busy = slice(BURST_AT - 6, BURST_AT - 6 + WINDOW), slice(BUSY_AT, BUSY_AT + WINDOW)
    few, none = _seeds(seed, 56, 2)
    return [
        *found,
        Case("healthy", None, healthy[BURST_AT + 8 : BURST_AT + 8 + WINDOW]),
        Case("healthy, with a burst", None, healthy[bursts]),
        Case("healthy, in a busy hour", None, healthy[busy]),
        Case("healthy, with few requests", None, _slow(few)),
        Case("healthy, and nobody comes", None, scrapes(Scene(HEALTHY, none, 20, 0))[-1:] * WINDOW),
        Case("healthy, and nobody has ever come", None, (Plant(64).scrape(),) * WINDOW),
    ]


def _slow(seed: int) -> tuple[str, ...]:
    """Scrape a warm server to which one request comes at a time."""
    return scrapes(Scene(HEALTHY, seed, 12 + WINDOW, 0, num_arrivals=1))[-WINDOW:]


def _seeds(seed: int, what: int, num: int) -> list[int]:
    return [int(n) for n in np.random.default_rng([seed, what]).integers(0, 1 << 30, num)]
