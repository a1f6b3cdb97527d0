"""KV events: the tree that is built from them predicts what prompts find.

requests ─► server ─► events ─► RemoteTree ─► prediction ─┐
               └────────────────► cached_tokens ─────────────► equal?
"""

from radixlab.certify.check import Check, Cost, priced, unit_of
from radixlab.certify.checks.cached import find_reset
from radixlab.certify.checks.quiet import looks, until_quiet
from radixlab.certify.outcome import CannotTell
from radixlab.certify.pages import gauge
from radixlab.certify.prompts import Prompt
from radixlab.certify.server import Server
from radixlab.certify.source import EventSource
from radixlab.certify.trial import Trial, told_cached

NUM_PROBES = 8
SHARE = 3
"""The cache is filled once if that takes at most one part in `SHARE` of the budget."""
OVERFILL = 1.25
LONGEST = 512
"""Most tokens of the prompts that fill the cache."""


def _run(trial: Trial) -> str:
    server, source = trial.server, trial.server.events
    if source is None:
        raise CannotTell("no endpoint of KV events was given: --kv-events ENDPOINT")
    server.need_grid()
    unit = unit_of(server)
    prompts = [trial.fresh(3 * unit + 1)]
    prompts.append(trial.fork(prompts[0], 2 * unit, 3 * unit + 2))
    for prompt in prompts:
        server.ask(prompt)
    if not _has_arrived(trial, source, prompts[-1]):
        return _told_nothing(trial, source)
    filled = _fill(trial, source, prompts)
    prompts = prompts[:2] + prompts[2 :: max(1, len(prompts) // (NUM_PROBES - 2))][: NUM_PROBES - 2]
    for prompt in prompts:
        _probe(trial, source, trial.prompts.fork(prompt, len(prompt), len(prompt) + 1))
    if server.may_reset and _reset(trial, source):
        for prompt in prompts[:2]:
            _probe(trial, source, trial.prompts.fork(prompt, len(prompt), len(prompt) + 1))
        filled += "; and so after a reset"
    return f"{len(prompts)} prompts found what the events tell; {filled}"


def _reset(trial: Trial, source: EventSource) -> bool:
    """Reset, and wait for the blocks of one more prompt; return whether the server was asked."""
    try:
        until_quiet(trial, "a reset would be refused")
        find_reset(trial)
    except CannotTell:
        return False
    last = trial.fresh(unit_of(trial.server) + 1)
    trial.server.ask(last)
    return _has_arrived(trial, source, last)


def _ids(server: Server, prompt: Prompt) -> list[int]:
    ids = server.token_ids(prompt)
    if ids is None:
        raise CannotTell("the server takes no token ids and has no /tokenize")
    return ids


def _has_arrived(trial: Trial, source: EventSource, prompt: Prompt) -> bool:
    """Poll until the blocks of the last prompt are told, and with them all that came before."""
    grid, ids = trial.server.need_grid(), _ids(trial.server, prompt)
    for _ in looks(trial.server.patience_s):
        source.watch.poll()
        if source.tree.num_cached_tokens([*ids, 0]) >= grid.whole(len(ids)):
            return True
    return False


def _told_nothing(trial: Trial, source: EventSource) -> str:
    if not source.watch.num_frames:
        raise CannotTell(f"nothing arrived from {source.endpoint}")
    _check_complete(source)
    what = "the blocks of a prompt that was just computed"
    trial.note(what, f"not told: {source.watch.status()}", "told", False, "repeated")
    return ""


def _check_complete(source: EventSource) -> None:
    if source.tree.gaps or source.tree.num_lost:
        raise CannotTell(
            f"payloads were lost ({source.watch.status()}): give --kv-events-replay ENDPOINT"
        )


def _fill(trial: Trial, source: EventSource, prompts: list[Prompt]) -> str:
    """Ask for more than the cache holds, if that is not too much; say what was done."""
    server, tokens = trial.server, _pool_tokens(trial.server)
    if tokens is None:
        return "nothing was evicted, because nobody says how large the cache is"
    most = server.budget.num_left // SHARE
    if tokens * OVERFILL > most:
        return f"nothing was evicted: filling {tokens:,} tokens needs a larger --max-tokens-budget"
    unit, asked = unit_of(server), 0
    size = max(unit, min(LONGEST, (server.max_len or LONGEST) // 2, tokens // 8) // unit * unit)
    while asked < tokens * OVERFILL:
        prompts.append(trial.fresh(size + 1))
        server.ask(prompts[-1])
        asked += size + 1
    if not _has_arrived(trial, source, prompts[-1]):
        _told_nothing(trial, source)
    return f"{asked:,} tokens were asked for, more than the {tokens:,} that it holds"


def _pool_tokens(server: Server) -> int | None:
    reading = server.pages.look()
    if reading is None:
        return None
    blocks, size = gauge(reading, "num_blocks"), gauge(reading, "block_size")
    return int(blocks * size) if blocks and size else None


def _probe(trial: Trial, source: EventSource, prompt: Prompt) -> None:
    """Predict by the events what a prompt will find, and ask for it."""
    server, grid = trial.server, trial.server.need_grid()
    ids = _ids(server, prompt)
    told = source.tree.num_cached_tokens(ids)
    found = grid.whole(server.cached(server.ask(prompt)))
    if told != found:
        _check_complete(source)
    what = f"a prompt of {len(ids):,} tokens, of which the events tell {told:,}"
    trial.same(what, told_cached(found), told_cached(told), "repeated")
    if not _has_arrived(trial, source, prompt):
        _told_nothing(trial, source)


def _cost(server: Server) -> Cost:
    if server.events is None:
        return Cost(0, 0)
    unit = unit_of(server)
    cost = priced(server, 2, 6 * unit + 6)
    tokens = _pool_tokens(server)
    size = LONGEST + 3
    if tokens is not None and tokens * OVERFILL <= server.budget.most_tokens // SHARE:
        num = int(tokens * OVERFILL) // max(1, min(size, tokens // 8) // 2) + 2
        cost += Cost(num, int(tokens * OVERFILL) + 2 * size)
    return cost + Cost(NUM_PROBES + 3, (NUM_PROBES + 2) * size + unit + 2)


REPLAY = Check(
    "events.replay",
    "KV events tell what the cache holds",
    "The tree that is built from the published events predicts the cached tokens of every prompt, "
    "also after evictions and after a reset.",
    _run,
    _cost,
)
