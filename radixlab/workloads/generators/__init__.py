"""Seeded traffic by name, for when there is no trace: the shapes that a prefix cache meets.

Each generator is `(num_requests, seed) -> Iterator[Request]`. It makes a request when it is asked
for one; the same arguments give the same tokens on every machine; asking for more requests changes
none of the first. A plug-in registers itself in `GENERATORS`. Nothing here knows of caches.
"""

from collections.abc import Callable, Iterator

from radixlab.workloads.generators.agents import agent
from radixlab.workloads.generators.basic import diverse, shared_prompt
from radixlab.workloads.generators.chat import multi_turn_chat
from radixlab.workloads.generators.documents import document_qa
from radixlab.workloads.generators.examples import few_shot
from radixlab.workloads.generators.hot_set import phase_shift, scan_polluted
from radixlab.workloads.generators.tenancy import tenants
from radixlab.workloads.generators.thoughts import tree_of_thought
from radixlab.workloads.request import Request

__all__ = ["GENERATORS", "Generator"]

Generator = Callable[[int, int], Iterator[Request]]

GENERATORS: dict[str, Generator] = {
    "shared-prompt": shared_prompt,
    "document-qa": document_qa,
    "diverse": diverse,
    "multi-turn-chat": multi_turn_chat,
    "few-shot": few_shot,
    "agent": agent,
    "tree-of-thought": tree_of_thought,
    "scan-polluted": scan_polluted,
    "phase-shift": phase_shift,
    "tenants": tenants,
}
"""Generators by the name that `radixlab replay` takes."""
