"""A Ray cluster on this machine, for one server: started for it, ended with it, seen by nobody.

Nothing is written outside a temporary folder, nothing is reported to Ray's makers, and no port is
opened but on the loopback. The HTTP server is ours, so Serve's own proxies are not started.
"""

import importlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from radixlab.config import ConfigError
from radixlab.extras import what_to_install
from radixlab.llm import LLM
from radixlab.openmp import num_cores
from radixlab.serve.settings import Settings

APP = "radixlab"
OBJECT_STORE_BYTES = 80 * 2**20
"""Almost nothing goes through the store, and Ray takes no less than 75 MiB."""
MOST_ONGOING = 100_000
"""Requests that a replica may have at a time; the front's queue is the real bound."""
LONGEST_FOLDER = 40
"""Characters; below it Ray makes sockets, whose paths may have 107."""
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
    folder: Path
    _is_over: bool = field(default=False)

    def stop(self) -> None:
        """End all replicas and Ray's own processes; a second call does nothing."""
        if not self._is_over:
            self._is_over = True
            _end(self.folder)


def start_cluster(
    settings: Settings,
    build: Callable[[], LLM] | None = None,
    router: tuple[str, dict[str, Any]] | None = None,
) -> Cluster:
    """Start Ray and the replicas; return when all of them have loaded the model.

    `build` makes each replica's LLM, in its process. `router` is a class as "module:name" with its
    settings, by default what `settings.router` names.
    """
    ray = require_ray()
    if ray.is_initialized():
        raise RayIsRunningError("Ray runs in this process already: call ray.shutdown() first")
    folder = _temporary_folder()
    try:
        _start_ray(ray, folder)
        return Cluster(_deploy(settings, build, router or router_of(settings)), folder)
    except BaseException:
        _end(folder)
        raise


def router_of(settings: Settings) -> tuple[str, dict[str, Any]]:
    """Return the class that `settings.router` names, and its settings."""
    name = settings.router or "prefix"
    return ROUTERS[name], {"route_by": settings.route_by or "events"} if name == "prefix" else {}


def _start_ray(ray: Any, folder: Path) -> None:
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.ERROR)
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
        namespace=APP,
        _temp_dir=str(folder),
    )


def _deploy(
    settings: Settings, build: Callable[[], LLM] | None, router: tuple[str, dict[str, Any]]
) -> Any:
    serve = importlib.import_module("ray.serve")
    config = importlib.import_module("ray.serve.config")
    from radixlab.serve.replicas.replica import Replica

    threads = settings.threads or max(1, num_cores() // settings.replicas)
    module, _, name = router[0].partition(":")
    serve.start(proxy_location="Disabled", logging_config={"log_level": "ERROR"})
    deployment = serve.deployment(
        Replica,
        name="Replica",
        num_replicas=settings.replicas,
        max_ongoing_requests=MOST_ONGOING,
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=1,
        graceful_shutdown_timeout_s=1,
        request_router_config=config.RequestRouterConfig(
            request_router_class=f"{module}.{name}", request_router_kwargs=router[1]
        ),
    )
    bound = deployment.bind(replace(settings, threads=threads), build)
    return serve.run(bound, name=APP, route_prefix=None)


def _end(folder: Path) -> None:
    """End Ray with all its processes. Serve's own shutdown would only wait for each of them."""
    importlib.import_module("ray").shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def _temporary_folder() -> Path:
    """Make a folder whose path is short enough for Ray's sockets."""
    base = tempfile.gettempdir()
    if len(base) + len("/radixlab-ray-12345678") > LONGEST_FOLDER:
        base = "/tmp"
    return Path(tempfile.mkdtemp(prefix="radixlab-ray-", dir=base))
