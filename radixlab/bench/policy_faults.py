"""What keeps an object from being an eviction policy, before it has served a single request.

It knows the methods that a policy has, and how they are called.
"""

import difflib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from radixlab.bench.guarded_policy import HOOKS
from radixlab.cache.protocols import EvictionPolicy
from radixlab.exercise.plain import plain_text


def faults(policy: object) -> Iterator[str]:
    """Yield what keeps an object from being a policy."""
    if isinstance(policy, type):
        yield f"it is the class {policy.__name__}; call it"
    elif not callable(getattr(policy, "victim", None)) or (
        is_of_the_engine(policy) and type(policy).victim is EvictionPolicy.victim
    ):
        yield f"{_described(policy)} has no method victim()"
    elif not any(hasattr(policy, hook) for hook in HOOKS):
        yield "it has no hook such as on_evictable(node), so it can never know a node"
    else:
        yield from _faults_of_methods(policy)


def _faults_of_methods(policy: object) -> Iterator[str]:
    if is_of_the_engine(policy):
        for attribute in ("name", "reason"):
            if not isinstance(getattr(policy, attribute, None), str):
                yield f'it has no {attribute}; write {attribute} = "…" in the class'
        most = policy.max_blocks
        if most is not None and (type(most) is not int or most < 1):
            yield f"max_blocks is {plain_text(most)}; it must be None, or a number of blocks"
    for hook, arguments in {**HOOKS, "victim": ()}.items():
        method = getattr(policy, hook, None)
        if method is None:
            continue
        wanted = f"{hook}({', '.join(arguments)})"
        if not callable(method):
            yield f"{hook} is {plain_text(method)}, not a method {wanted}"
        elif not _takes(method, len(arguments)):
            yield f"{hook} cannot be called as {wanted}"


def is_of_the_engine(policy: object) -> TypeGuard[EvictionPolicy]:
    """Whether the policy inherits from `EvictionPolicy`, whatever methods it has."""
    return EvictionPolicy in type(policy).__mro__


def _takes(method: Callable[..., Any], num_arguments: int) -> bool:
    try:
        inspect.signature(method).bind(*[None] * num_arguments)
    except TypeError:
        return False
    except ValueError:  # written in C, with no signature to look at
        return True
    return True


def misspelt_hooks(policy: object) -> list[str]:
    """Name each method that looks like a hook and is none, with the hook that was meant.

    >>> class Typo:
    ...     def on_evictible(self, node): ...
    >>> misspelt_hooks(Typo())
    ['on_evictible is never called; did you mean on_evictable?']
    """
    found = []
    for name in dir(type(policy)):
        near = difflib.get_close_matches(name, HOOKS, n=1, cutoff=0.75)
        if name not in HOOKS and near and not hasattr(type(policy), near[0]):
            found.append(f"{name} is never called; did you mean {near[0]}?")
    return found


def _described(value: object) -> str:
    return plain_text(value) if value is None or isinstance(value, int | str) else "it"
