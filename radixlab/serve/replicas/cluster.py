"""A Ray cluster on this machine for one server: it starts and ends with that server.

Nothing is written outside a temporary folder, and no usage statistics are sent to Ray's makers. The
HTTP server is ours, so Serve's own proxies are not started.
"""

import ctypes
import importlib
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radixlab.config import ConfigError
from radixlab.extras import what_to_install
from radixlab.llm import LLM
from radixlab.serve.replicas.deploy import APP, Router, deploy
from radixlab.serve.settings import Settings

OBJECT_STORE_BYTES = 80 * 2**20
"""Almost nothing goes through the store, and Ray takes no less than 75 MiB."""
SWITCH_S = 60.0
"""Seconds in which a router must have been exchanged."""
LEFT_OUT = "rfc3987_syntax"
"""A module that builds a parser when it is imported, for a format that nobody checks here. Where
Jupyter is installed, each of Ray's processes would import it, for 1.5 s of a core."""
LONGEST_FOLDER = 40
"""The most characters of the temporary folder's path: Ray makes sockets below it, and the path of a
socket may have 107."""
ROUTERS = {
    "prefix": "radixlab.serve.replicas.router:PrefixRouter",
    "round-robin": "ray.serve.experimental.round_robin_router:RoundRobinRouter",
    "power-of-two": "ray.serve._private.request_router:PowerOfTwoChoicesRequestRouter",
    "session": "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter",
}
"""The classes of the routers that `--router` names: ours, and three of Ray Serve's own."""


class RayIsRunningError(ConfigError):
    """Ray runs in this process already."""


def require_ray() -> Any:
    """Return the module `ray`; raise an `ImportError` that says what to install."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.serve")
    except ModuleNotFoundError as error:
        raise ImportError(f"replicas need Ray: {what_to_install(error)}") from None
    return ray


@dataclass(slots=True)
class Cluster:
    """A running cluster with its replicas."""

    handle: Any
    """Ray Serve's handle of the replicas."""
    node: Any
    """Ray's own processes."""
    folder: Path
    _is_over: bool = field(default=False)

    def switch(self, router: Router) -> None:
        """Route by another class from now on; the replicas stay as they are.

        For measurements only: a deployment with another router would start other replicas, so the
        router inside the handle is exchanged.
        """
        done: Future[None] = Future()

        def exchange() -> None:
            try:
                _exchange(self.handle._router._asyncio_router, router)
                done.set_result(None)
            except Exception as error:
                done.set_exception(error)

        self.handle._router.event_loop.call_soon_threadsafe(exchange)
        done.result(SWITCH_S)

    @property
    def is_alive(self) -> bool:
        """Whether Ray's own processes run; without one of them, Ray ends this process soon."""
        return bool(self.node.remaining_processes_alive())

    def stop(self) -> None:
        """End all replicas and Ray's own processes; a second call does nothing."""
        if not self._is_over:
            self._is_over = True
            _end(self.node, self.folder)


def start_cluster(
    settings: Settings,
    build: Callable[[], LLM] | None = None,
    router: Router | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Cluster:
    """Start Ray and the replicas; return when all of them have loaded the model.

    `build` makes each replica's LLM, in its process. `router` is a class as "module:name" with its
    settings, by default what `settings.router` names. When `is_wanted` turns false, what has
    started is ended, and `NotWantedError` is raised.
    """
    ray = require_ray()
    if ray.is_initialized():
        raise RayIsRunningError("Ray runs in this process already: call ray.shutdown() first")
    folder, node = _temporary_folder(), None
    try:
        node = _start_ray(ray, folder)
        handle = deploy(settings, build, router or router_of(settings), is_wanted)
        return Cluster(handle, node, folder)
    except BaseException:
        _end(node, folder)
        raise


def _exchange(inner: Any, router: Router) -> None:
    """Let a handle's inner router choose by another class; called in its event loop."""
    module, _, name = router[0].partition(":")
    replicas = [each._replica_info for each in inner.request_router.curr_replicas.values()]
    inner._request_router_class = getattr(importlib.import_module(module), name)
    inner._request_router_kwargs = router[1]
    inner._running_replicas = replicas
    inner._request_router = None
    assert inner.request_router is not None  # it is made when it is asked for


def router_of(settings: Settings) -> Router:
    """Return the class that `settings.router` names, and its settings."""
    name = settings.router or "prefix"
    return ROUTERS[name], {"route_by": settings.route_by or "events"} if name == "prefix" else {}


def _start_ray(ray: Any, folder: Path) -> Any:
    """Start Ray's own processes, and connect to them; return the node that they are.

    `ray.init` alone would start a log monitor and an autoscaler too. The raylet ends if its agents
    do not answer within 15 s, so on a busy machine every import of theirs counts.
    """
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.ERROR)
    params = importlib.import_module("ray._private.parameter").RayParams(
        num_cpus=1,
        num_gpus=0,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        include_log_monitor=False,
        no_monitor=True,
        temp_dir=str(folder),
    )
    with _leaner_imports(folder):
        node = importlib.import_module("ray._private.node").Node(
            params, head=True, shutdown_at_exit=False, spawn_reaper=True
        )
    # The raylet's remarks would go to stdout, which is the access log's.
    worker: Any = importlib.import_module("ray._private.worker")
    worker.print_to_stdstream = _drop
    with _signals_kept():
        ray.init(
            address=node.gcs_address,
            namespace=APP,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(folder),
        )
    return node


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Let SIGTERM end the server as before, whatever Ray sets.

    After `init` Ray would write a stack trace at the first one, and abort the process at a second
    one soon after; after `shutdown` one would end the process before all is put away. Python's own
    `signal` works in the main thread only.
    """
    api = ctypes.pythonapi
    api.PyOS_getsig.restype, api.PyOS_getsig.argtypes = ctypes.c_void_p, [ctypes.c_int]
    api.PyOS_setsig.restype = ctypes.c_void_p
    api.PyOS_setsig.argtypes = [ctypes.c_int, ctypes.c_void_p]
    before = api.PyOS_getsig(signal.SIGTERM)
    try:
        yield
    finally:
        api.PyOS_setsig(signal.SIGTERM, before)


def _drop(*given: object, **named: object) -> None:
    """Do nothing with a remark."""


@contextmanager
def _leaner_imports(folder: Path) -> Iterator[None]:
    """Keep `LEFT_OUT` out of the processes that start now, and out of their children."""
    (folder / "without").mkdir()
    (folder / "without" / f"{LEFT_OUT}.py").write_text("raise ImportError('left out')\n")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder / "without"), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _end(node: Any, folder: Path) -> None:
    """End Ray with all its processes. Serve's own shutdown would only wait for each of them."""
    with _signals_kept():
        importlib.import_module("ray").shutdown()
    if node is not None:
        node.kill_all_processes(check_alive=False, allow_graceful=True, wait=True)
    shutil.rmtree(folder, ignore_errors=True)


def _temporary_folder() -> Path:
    """Make a folder whose path is short enough for Ray's sockets."""
    base = tempfile.gettempdir()
    if len(base) + len("/radixlab-ray-12345678") > LONGEST_FOLDER:
        base = "/tmp"
    return Path(tempfile.mkdtemp(prefix="radixlab-ray-", dir=base))
