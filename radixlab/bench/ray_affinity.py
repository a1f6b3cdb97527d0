"""Ray's own prefix router, on the same replicas: what it does with a hot prefix and an odd request.

`PrefixCacheAffinityRouter` of Ray 2.60, with its defaults: `imbalanced_threshold` is infinite, so
nothing protects the replica that has a popular prefix. It compares characters of prompts, and never
those of answers, and it drops none. If it raises, Ray logs that, and the request waits for ever.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from radixlab.bench.replica_traffic import Traffic, crowd
from radixlab.cache.tokens import TokenArray
from radixlab.serve.replicas.clients import ask
from radixlab.serve.replicas.front import Front

ROUTER = (
    "ray.llm._internal.serve.routing_policies.prefix_aware.prefix_aware_router"
    ":PrefixCacheAffinityRouter"
)
PATIENCE_S = 5.0
"""Seconds after which a client gives up; such a request is answered in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Story:
    """What Ray's router did."""

    hot: Traffic
    empty_prompt: str
    """What became of a request with an empty prompt."""
    no_prompt: str
    """The same for an argument without prompt and messages."""
    num_known: int
    """Characters of a prompt and its answer that it knows afterwards."""
    num_prompt: int
    """Characters of that prompt."""
    num_both: int
    """Characters of the prompt and its answer."""
    num_kept: int
    """Characters that it knows of all replicas together."""
    num_kept_after_reset: int
    """The same after every cache was emptied."""


async def tell_story(front: Front, num_requests: int, num_open: int, seed: int) -> Story:
    """Send a hot prefix, a conversation, and two odd requests."""
    await front.switch((ROUTER, {}))
    front.spell = spelled
    try:
        hot = await crowd(front, num_requests, num_open, seed)
        rng = np.random.default_rng([seed, 1])
        prompt = rng.integers(16, 400, size=48).tolist()
        answered = await ask(front, prompt, 48)
        tree = _tree()
        both = _text([*prompt, *answered.token_ids])
        (known, _), kept = await tree.prefix_match.remote(both), await _kept(tree)
        await front.reset()
        kept_after_reset = await _kept(tree)
        front.spell = lambda tokens: ""
        empty = await ask(front, prompt, 4, patience_s=PATIENCE_S)
        front.spell = lambda tokens: None
        nothing = await ask(front, prompt, 4, patience_s=PATIENCE_S)
    finally:
        front.spell = None
    return Story(
        hot,
        empty.error or "answered",
        nothing.error or "answered",
        len(known),
        len(_text(prompt)),
        len(both),
        kept,
        kept_after_reset,
    )


def spelled(tokens: TokenArray) -> str:
    """Write a prompt as text, a word for each token."""
    return _text(tokens.tolist())


def _text(token_ids: list[int]) -> str:
    return "".join(f"{token} " for token in token_ids)


def _tree() -> Any:
    ray = importlib.import_module("ray")
    return ray.get_actor("LlmPrefixTreeActor", namespace="serve::radixlab::Replica")


async def _kept(tree: Any) -> int:
    counts: dict[str, int] = await tree.getattr.remote("tenant_to_char_count")
    return sum(counts.values())
