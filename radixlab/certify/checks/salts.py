"""`cache_salt` and adapters: who shares a prefix with whom."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from radixlab.certify.answer import Answer
from radixlab.certify.check import Check, base_of, priced, unit_of
from radixlab.certify.outcome import CannotTell
from radixlab.certify.prompts import Prompt
from radixlab.certify.repeat import tried
from radixlab.certify.server import RefusedError
from radixlab.certify.trial import Trial

OWN = ("id", "created", "date", "x-request-id", "set-cookie", "server-timing")
"""Fields and headers that differ between any two answers."""


# ---- salt.apart


def _run_salts(trial: Trial) -> str:
    server = trial.server
    server.need_grid()
    salt = f"a{trial.prompts.unit():x}z{trial.prompts.unit():x}"
    tenants: list[str | None] = [salt, None, f"{salt}-", salt.upper(), "None"]
    prompt = trial.fresh(base_of(server) + 3 * unit_of(server) + 1)
    try:
        firsts = [server.ask(prompt, **_salted(each)) for each in tenants]
    except RefusedError as error:
        raise CannotTell(f"the server does not take cache_salt: {error}") from None
    for each, answer in zip(tenants, firsts, strict=True):
        what = f"a prompt that others have cached, first asked {_name(each)}"
        trial.nothing(what, answer)
        trial.same("its fields and headers", *_forms(answer, firsts[0]))
    for each in tenants[:2]:  # in a small pool the others have evicted it, and then once more
        tried(trial, partial(_again, trial, prompt, each))
    return f"{len(tenants)} tenants, one of them without a salt, found their own prefixes only"


def _again(trial: Trial, prompt: Prompt, salt: str | None) -> bool:
    server = trial.server
    answer, span = server.ask(prompt, **_salted(salt)), server.length(prompt)
    return trial.cached(f"the prompt again {_name(salt)}", answer, span, span, in_steps=True)


def _salted(salt: str | None) -> dict[str, Any]:
    return {} if salt is None else {"cache_salt": salt}


def _name(salt: str | None) -> str:
    return "without a salt" if salt is None else f"with cache_salt {salt!r}"


def _forms(one: Answer, other: Answer) -> tuple[str, str]:
    """Say how the names in two answers differ: they must not tell who has cached what."""
    names = [{*_names(each.body), *each.headers} - {*OWN} for each in (one, other)]
    more = names[0] ^ names[1]
    if not more:
        return ("the same as of the first tenant",) * 2
    return f"others than of the first tenant: {', '.join(sorted(more))}", "the same"


def _names(value: Any) -> Iterator[str]:
    """Yield the names in a JSON value."""
    if isinstance(value, dict):
        yield from map(str, value)
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _names(each)


SALTS = Check(
    "salt.apart",
    "Two salts never share a prefix",
    "Requests with different cache_salt, or one with and one without, find nothing of each other; "
    "those with the same salt share. No field or header of an answer tells about other salts.",
    _run_salts,
    lambda server: priced(server, 7, 7 * (base_of(server) + 3 * unit_of(server) + 2), 1),
)


# ---- adapter.apart


def _run_adapters(trial: Trial) -> str:
    server = trial.server
    server.need_grid()
    if not server.adapters:
        raise CannotTell("the server lists no model that has this one as its parent")
    for name in server.adapters[:3]:
        first, second = (trial.fresh(base_of(server) + 3 * unit_of(server) + 1) for _ in range(2))
        server.ask(first)
        what = f"a prompt that {server.model} has cached, first asked of {name}"
        trial.nothing(what, server.ask(first, model=name))
        server.ask(second, model=name)
        what = f"a prompt that {name} has cached, asked of {server.model} with the salt {name!r}"
        with suppress(RefusedError):
            trial.nothing(what, server.ask(second, cache_salt=name))
    return f"{server.model} and {len(server.adapters[:3])} adapters found their own prefixes only"


ADAPTERS = Check(
    "adapter.apart",
    "An adapter never shares a prefix with its model",
    "The same prompt to a model and to a LoRA adapter of it finds nothing of the other's cache, "
    "and a salt that is named like an adapter is not that adapter.",
    _run_adapters,
    lambda server: priced(
        server,
        4 * len(server.adapters[:3]),
        4 * len(server.adapters[:3]) * (base_of(server) + 3 * unit_of(server) + 2),
    ),
)
