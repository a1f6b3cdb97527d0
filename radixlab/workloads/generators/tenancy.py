"""Tenants who must not see each other: equal tokens, separate namespaces."""

from collections.abc import Iterator

from radixlab.config import positive
from radixlab.workloads.generators.draw import join, pick, stream, text, tokens
from radixlab.workloads.request import Request, TokenArray

TRAFFIC = [32, 16, 8, 4, 2, 1]
"""Shares of the requests, a tenant each: one large customer, and small ones who wait long."""
SYSTEM_PROMPT_TOKENS = 1024
"""The product's own, word for word the same for every tenant."""
DOCUMENTS_PER_TENANT = 4
DOCUMENT_TOKENS = (1000, 3000)
"""A tenant's knowledge base, of which each request is given one article."""
QUESTION_TOKENS = (20, 80)
ANSWER_TOKENS = (50, 200)


def tenants(num_requests: int, seed: int) -> Iterator[Request]:
    """Six tenants of one product: the same system prompt, four documents each, a salt each.

    A model of a service whose caches are isolated, because a hit is measurable and would tell one
    tenant what another asked. Every request has the namespace `("salt", "tenant-N")`. Within a
    tenant all share the system prompt and those with the same document share that; across tenants
    nothing may be shared, so the system prompt is kept six times. A cache can at most find 0.96 of
    what is sent (3,400 blocks of 16). Under pressure it is the small tenants who pay: tenant 0
    asks thirty times as often as tenant 5.

    >>> first, second = tenants(2, seed=2)
    >>> first.namespace, second.namespace
    (('salt', 'tenant-0'), ('salt', 'tenant-2'))
    >>> bool((first.prompt[:1024] == second.prompt[:1024]).all())
    True
    """
    system = tokens(stream(seed, "tenants", "system"), SYSTEM_PROMPT_TOKENS)
    documents = [_documents(seed, tenant) for tenant in range(len(TRAFFIC))]
    for index in range(positive("num_requests", num_requests)):
        rng = stream(seed, "tenants", "request", index)
        tenant = pick(rng, TRAFFIC)
        number = pick(rng, [1] * DOCUMENTS_PER_TENANT)
        prompt = join(system, documents[tenant][number], text(rng, QUESTION_TOKENS))
        yield Request(
            prompt,
            text(rng, ANSWER_TOKENS),
            label=f"tenant {tenant}, document {number}",
            namespace=("salt", f"tenant-{tenant}"),
        )


def _documents(seed: int, tenant: int) -> list[TokenArray]:
    rng = stream(seed, "tenants", "documents", tenant)
    return [text(rng, DOCUMENT_TOKENS) for _ in range(DOCUMENTS_PER_TENANT)]
