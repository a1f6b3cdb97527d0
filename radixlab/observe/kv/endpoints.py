"""Where publishers are: endpoints that can be connected to, and those of several ranks.

vLLM and SGLang add the data-parallel rank to the port of the endpoint and of the replay. ZeroMQ
takes many texts for endpoints that can never answer. They are refused here, because a watch of one
would wait without end.
"""

import re
from collections.abc import Sequence

from radixlab.config import positive, shown
from radixlab.observe.kv.errors import EndpointError, KVEventError

MAX_LINKS = 64
"""Most endpoints that are watched at once."""
MAX_LENGTH = 300
_TCP = re.compile(r"tcp://([^\s/\[\]:*]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")
_IPC = re.compile(r"ipc://\S+")

Endpoints = str | Sequence[str]


def pairs_of(
    endpoint: Endpoints, replay: Endpoints | None, ranks: int = 1
) -> list[tuple[str, str | None]]:
    """Return each endpoint with its replay: those that are given, or one of each rank.

    >>> pairs_of("tcp://host:5557", "tcp://host:6557", ranks=2)[1]
    ('tcp://host:5558', 'tcp://host:6558')
    """
    positive("ranks", ranks, MAX_LINKS)
    endpoints, replays = _listed(endpoint), [] if replay is None else _listed(replay)
    if not endpoints or len(endpoints) > MAX_LINKS:
        raise KVEventError(f"1 to {MAX_LINKS} endpoints can be watched, not {len(endpoints)}")
    if replays and len(replays) != len(endpoints):
        raise KVEventError(
            f"{len(endpoints)} endpoints need as many replays or none, not {len(replays)}"
        )
    if ranks > 1 and len(endpoints) > 1:
        raise KVEventError(f"ranks={ranks} counts up from one endpoint, not {len(endpoints)}")
    for each in (*endpoints, *replays):
        check(each)
    if len(set(endpoints)) < len(endpoints):
        raise KVEventError("an endpoint is given twice")
    if ranks > 1:
        endpoints = [of_rank(endpoints[0], rank) for rank in range(ranks)]
        replays = [of_rank(replays[0], rank) for rank in range(ranks)] if replays else []
    none: list[str | None] = [None] * len(endpoints)
    return list(zip(endpoints, replays or none, strict=True))


def of_rank(endpoint: str, rank: int) -> str:
    """Return a rank's endpoint: vLLM and SGLang add the rank to the port.

    >>> of_rank("tcp://host:5557", 3)
    'tcp://host:5560'
    """
    parts = _TCP.fullmatch(endpoint)
    if parts is None or int(parts[2]) + rank > 65535:
        raise EndpointError(f"no port of rank {rank} counts up from {shown(endpoint)}")
    return f"tcp://{parts[1]}:{int(parts[2]) + rank}"


def check(endpoint: object) -> None:
    """Raise `EndpointError` unless this is an endpoint that a reader can connect to."""
    if not isinstance(endpoint, str):
        raise EndpointError(f"an endpoint is a text such as tcp://host:1, not {shown(endpoint)}")
    parts = _TCP.fullmatch(endpoint)
    is_tcp = parts is not None and 0 < int(parts[2]) < 65536
    is_text = len(endpoint) <= MAX_LENGTH and endpoint.isprintable()
    if is_text and (is_tcp or _IPC.fullmatch(endpoint)):
        return
    why = "an endpoint is tcp://HOST:PORT or ipc://PATH"
    if endpoint.startswith("tcp://*:"):
        why = "* is where a publisher binds; name its host"
    raise EndpointError(f"cannot reach {shown(endpoint)}: {why}")


def _listed(endpoints: Endpoints) -> list[str]:
    if isinstance(endpoints, list | tuple):
        return list(endpoints)
    if not isinstance(endpoints, str):
        raise EndpointError(f"an endpoint is a text such as tcp://host:1, not {shown(endpoints)}")
    return [endpoints]
