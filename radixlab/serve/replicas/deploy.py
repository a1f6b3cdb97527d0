"""The replicas as Ray Serve's deployment: what is asked of it, and the wait until all of them run.

Ray Serve's own wait cannot be ended. Here it ends when nobody wants the server any more, because
loading may take long and a person who presses Ctrl-C does not wait so long.
"""

import importlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from radixlab.llm import LLM
from radixlab.openmp import num_cores
from radixlab.serve.settings import Settings

APP = "radixlab"
MOST_ONGOING = 100_000
"""Requests that a replica may have at a time; the front's queue is the real bound."""
HEALTH_S = 3
"""Seconds in which a replica must answer Ray's health check. After three failures Ray ends it, so a
process that hangs is replaced after about ten seconds. With Ray's own 30 it would take 90."""
POLL_S = 0.1
Router = tuple[str, dict[str, Any]]
"""A class as "module:name", and its settings."""


class NotWantedError(Exception):
    """The server was told to end before its replicas ran."""


def deploy(
    settings: Settings,
    build: Callable[[], LLM] | None,
    router: Router,
    is_wanted: Callable[[], bool],
) -> Any:
    """Start the replicas; return Ray Serve's handle of them when all run."""
    _check_wanted(is_wanted)
    serve = importlib.import_module("ray.serve")
    serve.start(proxy_location="Disabled", logging_config={"log_level": "ERROR"})
    _check_wanted(is_wanted)
    begin = importlib.import_module("ray.serve.api")._run  # `serve.run` without the wait
    handle = begin(_bound(serve, settings, build, router), _blocking=False, name=APP,
                   route_prefix=None)  # fmt: skip
    while not _is_running(serve.status().applications[APP]):
        _check_wanted(is_wanted)
        time.sleep(POLL_S)
    return handle


def _bound(serve: Any, settings: Settings, build: Callable[[], LLM] | None, router: Router) -> Any:
    config = importlib.import_module("ray.serve.config")
    from radixlab.serve.replicas.replica import Replica

    threads = settings.threads or max(1, num_cores() // settings.replicas)
    module, _, name = router[0].partition(":")
    deployment = serve.deployment(
        Replica,
        name="Replica",
        num_replicas=settings.replicas,
        max_ongoing_requests=MOST_ONGOING,
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=1,
        health_check_timeout_s=HEALTH_S,
        graceful_shutdown_timeout_s=1,
        request_router_config=config.RequestRouterConfig(
            request_router_class=f"{module}.{name}", request_router_kwargs=router[1]
        ),
    )
    return deployment.bind(replace(settings, threads=threads), build)


def _is_running(app: Any) -> bool:
    if app.status == "DEPLOY_FAILED":
        raise RuntimeError(f"the replicas could not be started: {app.message}")
    return bool(app.status == "RUNNING")


def _check_wanted(is_wanted: Callable[[], bool]) -> None:
    if not is_wanted():
        raise NotWantedError
