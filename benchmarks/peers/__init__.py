"""Other engines' prefix caches behind one small door, for `radixlab bench tree --peers DIR`.

Nothing here is needed to use or test radixlab. README.md beside this file says how to get the
wheels; a peer that cannot be loaded is reported as not run, with the reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.config import CacheConfig

Make = Callable[[CacheConfig], Any]
"""Makes an empty cache, with `prepare(request)` and `serve(prepared) -> hit tokens`."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A cache of a peer: loaded, or the reason why not."""

    name: str
    make: Make | None = None
    not_run: str = ""
    in_threads: bool = False
    """Whether it works in threads of its own, so that the process's CPU time must be read."""


IN_THREADS = ("ai_dynamo_runtime",)
NOT_ON_PYPI = ("mini-sglang", "nano-vllm")


def load_peers(folder: Path) -> Iterator[Peer]:
    """Load what the wheels unpacked in `folder` offer; whatever goes wrong is a reason."""
    from benchmarks.peers import dynamo_peer, sglang_peer, vllm_peer

    for name, package, version, load in (
        *sglang_peer.CACHES, *vllm_peer.CACHES, *dynamo_peer.CACHES
    ):  # fmt: skip
        if not (folder / f"{package}-{version}.dist-info").is_dir():
            yield Peer(name, not_run=f"the wheel {package} {version} is not unpacked there")
            continue
        try:
            yield Peer(name, make=load(folder), in_threads=package in IN_THREADS)
        except Exception as error:  # foreign code may fail in any way
            yield Peer(name, not_run=f"{type(error).__name__}: {error}")
    yield from (Peer(name, not_run="not on PyPI") for name in NOT_ON_PYPI)
