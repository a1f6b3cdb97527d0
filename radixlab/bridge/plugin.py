"""SGLang's door to this package: the entry point `radixlab` of the group `sglang.srt.plugins`.

SGLang calls `register` in each of its processes. After that, `--radix-cache-backend NAME` knows:

- `radixlab`: our tree with LRU, which trims the tails of leaves;
- `radixlab-whole-leaves`: our tree, evicting as SGLang's own `RadixCache` does;
- `radixlab-lfu`, `radixlab-adaptive` and so on: our tree with one of our other policies;
- `radixlab-yours`: a tree of exercise 8.5.1, from the file that `RADIXLAB_TREE` names.

Without SGLang nothing here is called, and nothing imports it.
"""

from collections.abc import Callable
from typing import Any

from radixlab.bridge.own_tree import OwnTree
from radixlab.bridge.pages import Pages
from radixlab.bridge.part_file import TREE, part_of
from radixlab.bridge.refusals import require_carried
from radixlab.bridge.your_tree import YourTree
from radixlab.cache.eviction import POLICIES
from radixlab.cache.protocols import EvictionPolicy

MakePages = Callable[[int], Pages]


def register() -> None:
    """Register every backend with SGLang."""
    from sglang.srt.mem_cache.registry import register_radix_cache_backend

    for name, make in backends().items():
        register_radix_cache_backend(name, _factory(make))


def backends() -> dict[str, MakePages]:
    """Return what makes the tree of each backend, given SGLang's page size.

    >>> list(backends())[:4]
    ['radixlab', 'radixlab-whole-leaves', 'radixlab-yours', 'radixlab-lfu']
    """
    found: dict[str, MakePages] = {
        "radixlab": OwnTree,
        "radixlab-whole-leaves": lambda page_size: OwnTree(page_size, whole_leaves=True),
        "radixlab-yours": _yours,
    }
    others = {name: make for name, make in POLICIES.items() if name != "lru"}
    return found | {f"radixlab-{name}": _under(make) for name, make in others.items()}


def _under(make_policy: Callable[[], EvictionPolicy]) -> MakePages:
    return lambda page_size: OwnTree(page_size, make_policy())


def _yours(page_size: int) -> Pages:
    return YourTree(part_of(TREE, "mine.py:RadixTree"), page_size)


def _factory(make: MakePages) -> Callable[[Any], Any]:
    def build(context: Any) -> Any:
        """Make the cache that SGLang asked for, or raise `NotCarriedError`."""
        require_carried(context)
        from radixlab.bridge.sglang_cache import RadixlabCache

        return RadixlabCache(context.params, make(context.params.page_size))

    return build
