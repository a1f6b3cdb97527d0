"""The real server over a learner's parts: OpenAI's API, metrics and all, on this machine."""

from collections.abc import Callable
from typing import Any

from radixlab.cache import CacheConfig
from radixlab.cache.protocols import EvictionPolicy
from radixlab.events import Emit
from radixlab.llm import LLM
from radixlab.serve.models import builder
from radixlab.serve.settings import Settings
from radixlab.yours.manager import OwnManager
from radixlab.yours.parts import Parts


def own_builder(
    parts: Parts, settings: Settings, tell: Callable[[str], object] = print
) -> Callable[[], LLM]:
    """Return what loads a server's model over a cache with a learner's tree and policy.

    A plan needs traffic that is known in advance, so a server has no use for it. Without a policy
    of the learner's, the one of the settings rules.
    What a part does wrong goes to `tell`: the server answers on without the part.
    """

    def manager(config: CacheConfig, emit: Emit | None, policy: EvictionPolicy | None) -> Any:
        return OwnManager(
            config,
            emit,
            parts.policy or policy,
            make_tree=parts.make_tree,
            tell=tell,
        )

    return builder(settings, manager)
