"""What replicas cannot keep, and what has no effect, is refused in one line."""

import sys

import pytest

from radixlab.config import ConfigError
from radixlab.serve.replicas.cluster import require_ray
from radixlab.serve.settings import FEEDS, ROUTERS, Settings

REFUSED = [
    (dict(replicas=0), "replicas"),
    (dict(replicas=65), "replicas"),
    (dict(replicas=2.5), "replicas"),
    (dict(router="prefix"), "router needs replicas above 1"),
    (dict(route_by="events"), "route_by needs replicas above 1"),
    (dict(replicas=2, router="best"), "router 'best' is not one of prefix, round-robin"),
    (dict(replicas=2, route_by="luck"), "route_by 'luck' is not one of events, prompts"),
    *[
        (dict(replicas=2, router=each, route_by="events"), f"{each} learns nothing")
        for each in ROUTERS[1:]
    ],
    (dict(replicas=2, kv_events="tcp://*:5557"), "kv_events is one cache's stream"),
    (dict(replicas=2, device="cuda"), "replicas run on the CPU"),
    (dict(replicas=2, device="auto"), "replicas run on the CPU"),
]


@pytest.mark.parametrize("given, says", REFUSED, ids=[str(given) for given, _ in REFUSED])
def test_a_setting_is_refused(given, says):
    with pytest.raises(ConfigError, match=says):
        Settings(**given)


@pytest.mark.parametrize("feed", [None, *FEEDS])
@pytest.mark.parametrize("router", [None, *ROUTERS])
def test_the_others_are_taken(router, feed):
    if feed is None or router in (None, "prefix"):
        assert Settings(replicas=2, router=router, route_by=feed).replicas == 2


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"^replicas need Ray: ray is not installed: pip install"):
        require_ray()
