"""Learning what a server is before it is examined: its model, how it takes prompts, its block size.

This file asks. It judges nothing.
"""

import math
from dataclasses import replace
from typing import Any

from radixlab.certify.check import Cost
from radixlab.certify.grid import Grid
from radixlab.certify.http import FaultError, Http, explain_refusal
from radixlab.certify.outcome import CannotTell, CertifyError
from radixlab.certify.prompts import WORDS, Form, Prompt
from radixlab.certify.server import TEMPLATE_TOKENS, RefusedError, Server
from radixlab.load.client import VOCABULARIES

MODELS = "/v1/models"
SIZES = (80, 320, 1280, 2560)
"""Tokens of the prompts that are tried until one is found again."""
SILENT = 320
"""A server that says nothing of cached tokens up to this size will not say it later."""
MOST_FORKS = 8
"""How many prompts are tried that share a little less each time."""
NOT_REPORTED = (
    "the server does not report cached_tokens; vLLM does with --enable-prompt-tokens-details, "
    "SGLang with --enable-cache-report"
)


def survey_cost(server: Server) -> Cost:
    """Return the most that a survey spends."""
    sizes = [size for size in SIZES if server.max_len is None or size < server.max_len]
    forks = 0 if server.pages.gauge_now("block_size") else MOST_FORKS + 6
    return Cost(13 + 2 * len(sizes) + forks, 600 + 2 * sum(sizes) + forks * max(sizes, default=0))


def find_model(http: Http, wanted: str | None) -> tuple[str, int | None, tuple[str, ...]]:
    """Return the model's name, its context length, and the adapters beside it."""
    try:
        reply = http.get(MODELS)
    except CannotTell as error:
        raise CertifyError(f"{http.root}: {error}") from None
    if reply.status in (401, 403):
        raise explain_refusal(http, reply, MODELS)
    data = reply.json.get("data") if isinstance(reply.json, dict) else None
    listed = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
    models = {str(each["id"]): each for each in listed if each.get("id")}
    if not models and not wanted:
        raise CertifyError(
            f"{http.root}{MODELS}: no model is listed ({reply.status}): name one with --model, if "
            "this is the address of a server with OpenAI's API"
        )
    name = wanted or next(iter(models))
    own = models.get(name, {})
    length = own.get("max_model_len")
    adapters = tuple(each for each, entry in models.items() if entry.get("parent") == name)
    return name, length if type(length) is int and length > 0 else None, adapters


def survey(server: Server, form: Form | None, block_size: int | None) -> None:
    """Find out how the server takes prompts, and in which steps it caches."""
    try:
        _find_form(server, form)
    except RefusedError as error:
        raise CannotTell(f"the server refuses a plain prompt: {error}") from None
    server.has_tokenizer = _has_tokenizer(server)
    server.endless = _endless(server)
    if server.max_len is None:  # some servers know it only when the model is loaded
        server.max_len = find_model(server.http, server.model)[1]
    try:
        server.grid = _find_grid(server, block_size or _published_step(server))
    except RefusedError as error:
        server.why_no_grid = f"the server refuses a plain prompt: {error}"


# ---- how prompts are sent


def _find_form(server: Server, form: Form | None) -> None:
    """Settle on token ids, text or chat: on the first that the server takes."""
    if form in (None, "ids"):
        size = _largest_vocabulary(server)
        if size is not None:
            server.form, server.vocabulary = "ids", (min(256, size // 4), size)
            return
        if form == "ids":
            raise CannotTell("the server takes no token ids")
    last: RefusedError | None = None
    for each in ("text", "chat") if form is None else (form,):
        server.form, server.vocabulary = each, WORDS
        try:
            _measure_words(server)
            return
        except RefusedError as error:
            last = error
    assert last is not None
    raise last


def _largest_vocabulary(server: Server) -> int | None:
    """Try a token id of each size; return None if the server takes none."""
    server.form = "ids"
    for size in VOCABULARIES:
        try:
            answer = server.ask(Prompt((size - 1,) * 3))
        except RefusedError as error:
            if error.reply.status in (404, 405):
                return None
            continue
        except FaultError:  # some servers fail where they should refuse
            continue
        return size if answer.usage.prompt_tokens in (3, None) else None
    return None


def _measure_words(server: Server) -> None:
    """Learn how many tokens a word has, by two prompts of different lengths."""
    server.tokens_per_unit = 4.0
    prompts = server.prompts("words")
    short, long = (_ask_with_limit(server, prompts.fresh(size)) for size in (8, 40))
    if short is not None and long is not None and long > short:
        server.tokens_per_unit = (long - short) / 32


def _ask_with_limit(server: Server, prompt: Prompt) -> int | None:
    """Ask, and learn by which name the server knows the length of an answer."""
    try:
        return server.ask(prompt).usage.prompt_tokens
    except RefusedError as error:
        if server.form != "chat" or "max_completion_tokens" not in str(error):
            raise
        server.limit_field = "max_completion_tokens"
        return server.ask(prompt).usage.prompt_tokens


def _has_tokenizer(server: Server) -> bool:
    if server.form == "ids":
        return False
    trial = replace(server, has_tokenizer=True)
    try:
        return bool(trial.token_ids(server.prompts("tokenizer").fresh(2)))
    except CannotTell:
        return False


def _endless(server: Server) -> dict[str, Any]:
    fields = {"ignore_eos": True}
    try:
        server.ask(server.prompts("endless").fresh(2), **fields)
    except (RefusedError, FaultError):
        return {}
    return fields


# ---- in which steps it caches


def _published_step(server: Server) -> int | None:
    step = server.pages.gauge_now("block_size")
    return int(step) if step and step >= 1 else None


def _find_grid(server: Server, step: int | None) -> Grid | None:
    """Find the step by prompts that share a little less each time; None if nothing is found."""
    first = (5 * max(16, step),) if step else ()
    largest = 0
    for size in (*first, *(size for size in SIZES if not first or size > first[0])):
        if server.max_len is not None and size + 8 > server.max_len:
            break
        prompt = server.prompts(f"survey {size}").fresh(server.num_units(size))
        found = _found_again(server, prompt)
        if found is None and size >= SILENT:
            break
        largest = size
        if found and (grid := _grid_below(server, prompt, found, step)):
            return grid
    server.why_no_grid = NOT_REPORTED
    if server.reports_cached:
        server.why_no_grid = (
            f"no prompt of up to {largest:,} tokens was found again: prefix caching is off, or "
            "begins with longer prompts"
        )
    return None


def _found_again(server: Server, prompt: Prompt) -> int | None:
    """Ask twice; return the cached tokens of the second answer."""
    server.ask(prompt)
    return _cached(server, prompt)


def _cached(server: Server, prompt: Prompt) -> int | None:
    found = server.ask(prompt).usage.cached_tokens
    server.reports_cached = server.reports_cached or found is not None
    return found


def _grid_below(server: Server, prompt: Prompt, found: int, step: int | None) -> Grid | None:
    """Return the grid that has the point `found`; None if a longer prompt is needed.

    Prompts that share one unit less each time find the next lower point. If units are words, a
    small step could be missed, so the step is the greatest common divisor of many points.
    """
    if step is not None:
        return Grid(step, step, "given or published")
    less = {"ids": 1, "text": 2, "chat": TEMPLATE_TOKENS // 3}[server.form]
    units, points = server.num_units(found - less), [found]
    for kept in range(units, max(0, units - MOST_FORKS), -1):
        points.append(_found_of_fork(server, prompt, kept))
        if points[-1] < found:
            break
    below = points[-1]
    if not 0 < below < found:
        return None
    if server.form != "ids" and math.gcd(*points) < 16:
        points += [_found_of_fork(server, prompt, units - part) for part in (3, 5, 8, 13, 21)]
    step = math.gcd(*(point for point in points if point > 0))
    room = step if server.form == "ids" else 2 * step + TEMPLATE_TOKENS
    least = _found_of_fork(server, prompt, server.num_units(room)) if room < below else below
    return Grid(
        step, step if 0 < least < below or below == step else below, "found by prompts", True
    )


def _found_of_fork(server: Server, prompt: Prompt, kept: int) -> int:
    """Return how much a prompt finds that shares so many units."""
    kept = max(1, min(kept, len(prompt) - 1))
    fork = server.prompts(f"fork {kept} of {len(prompt)}").fork(prompt, kept, kept + 6)
    return _cached(server, fork) or 0


def as_chat(server: Server) -> Server:
    """Return the same server, asked by chats."""
    fields: dict[str, Any] = {"form": "chat", "vocabulary": WORDS}
    if server.form == "ids":
        fields |= {"tokens_per_unit": 6.0, "_lengths": {}}
    return replace(server, **fields)
