"""Which settings of SGLang a foreign tree cannot honour, each with its flag and the reason.

SGLang 0.5.23 refuses some of them itself, in its own words. The rest would be silently without
effect, so the bridge refuses all of them before the server starts.
"""

from collections.abc import Iterator
from typing import Any

from radixlab.bridge.errors import NotCarriedError

SERVER_FLAGS = (
    ("enable_lmcache", "LMCache keeps a tree of its own"),
    ("enable_flexkv", "FlexKV keeps a tree of its own"),
    ("enable_unified_cache_external_linker", "only the unified tree has linkers"),
    ("enable_streaming_session", "a session would keep rows that our tree does not know"),
)
"""Attributes of SGLang's server arguments, and why they are refused."""


def require_carried(context: Any) -> None:
    """Raise `NotCarriedError` for the first setting that a tree of ours cannot honour.

    `context` is SGLang's `TreeCacheBuildContext`.
    """
    for setting, reason in _refused(context):
        raise NotCarriedError(f"radixlab behind SGLang does not carry {setting}: {reason}")


def _refused(context: Any) -> Iterator[tuple[str, str]]:
    params, server = context.params, context.server_args
    if context.enable_hierarchical_cache:
        yield "--enable-hierarchical-cache", "HiCache's host tier is part of SGLang's own tree"
    if params.enable_session_radix_cache:
        yield "--enable-session-radix-cache", "a session's references live in SGLang's own nodes"
    if params.eviction_policy.lower() != "lru":
        yield (
            f"--radix-eviction-policy {params.eviction_policy}",
            "choose our policies by the backend's name, such as radixlab-slru",
        )
    if params.eviction_policy_config:
        yield "--radix-eviction-policy-config", "our policies take no parameters"
    if context.disable_radix_cache or params.disable:
        yield "--disable-radix-cache", "there would be nothing for the tree to do"
    if params.enable_kv_cache_events:
        yield "--kv-events-config", "SGLang's recorder reads hashes off its own nodes"
    yield from _refused_models(context, params)
    for flag, reason in SERVER_FLAGS:
        if getattr(server, flag, False):
            yield f"--{flag.replace('_', '-')}", reason
    if getattr(server, "disaggregation_mode", "null") not in (None, "null"):
        yield f"--disaggregation-mode {server.disaggregation_mode}", "it has not been tried"
    if params.page_size != params.token_to_kv_pool_allocator.page_size:
        pages = (params.page_size, params.token_to_kv_pool_allocator.page_size)
        yield f"a tree of page size {pages[0]} over pages of {pages[1]}", "KV is sharded"


def _refused_models(context: Any, params: Any) -> Iterator[tuple[str, str]]:
    if params.is_eagle:
        yield "--speculative-algorithm EAGLE", "its keys are pairs of tokens"
    if context.is_hybrid_swa or params.sliding_window_size is not None:
        yield "a model with sliding windows", "a node would need a second kind of memory"
    if context.is_hybrid_ssm:
        yield "a model with Mamba state", "a node would need a second kind of memory"
