"""SGLang's own requests, pool and allocators over its own cache and over ours, where wheels are."""

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from radixlab.bridge.errors import NotCarriedError, PartFileError
from radixlab.bridge.part_file import TREE, part_of
from radixlab.bridge.plugin import backends
from radixlab.bridge.refusals import require_carried

ROOT = Path(__file__).parents[2]
WHEELS = os.environ.get("RADIXLAB_PEERS")
needs_wheels = pytest.mark.skipif(
    not WHEELS, reason="no unpacked wheels (RADIXLAB_PEERS; benchmarks/peers/README.md)"
)


def context(server=None, **more):
    """What SGLang tells a factory about a plain server."""
    params = {
        "page_size": 16,
        "token_to_kv_pool_allocator": SimpleNamespace(page_size=16),
        "eviction_policy": "lru",
        "eviction_policy_config": None,
        "enable_session_radix_cache": False,
        "disable": False,
        "enable_kv_cache_events": False,
        "is_eagle": False,
        "sliding_window_size": None,
    }
    params |= {name: more.pop(name) for name in [*params] if name in more}
    whole = {
        "enable_hierarchical_cache": False,
        "disable_radix_cache": False,
        "is_hybrid_swa": False,
        "is_hybrid_ssm": False,
    }
    return SimpleNamespace(
        params=SimpleNamespace(**params),
        server_args=SimpleNamespace(**server or {}),
        **(whole | more),
    )


REFUSED = [
    ({"enable_hierarchical_cache": True}, "--enable-hierarchical-cache"),
    ({"enable_session_radix_cache": True}, "--enable-session-radix-cache"),
    *(({"eviction_policy": name}, f"--radix-eviction-policy {name}") for name in ("tlru", "slru")),
    ({"eviction_policy_config": {"threshold": 3}}, "--radix-eviction-policy-config"),
    ({"disable_radix_cache": True}, "--disable-radix-cache"),
    ({"disable": True}, "--disable-radix-cache"),
    ({"enable_kv_cache_events": True}, "--kv-events-config"),
    ({"is_eagle": True}, "--speculative-algorithm"),
    ({"is_hybrid_swa": True}, "sliding windows"),
    ({"sliding_window_size": 128}, "sliding windows"),
    ({"is_hybrid_ssm": True}, "Mamba"),
    ({"page_size": 32}, "page size 32 over pages of 16"),
    ({"server": {"enable_lmcache": True}}, "--enable-lmcache"),
    ({"server": {"enable_flexkv": True}}, "--enable-flexkv"),
    ({"server": {"enable_streaming_session": True}}, "--enable-streaming-session"),
    ({"server": {"enable_unified_cache_external_linker": True}}, "external-linker"),
    ({"server": {"disaggregation_mode": "decode"}}, "--disaggregation-mode decode"),
]


@pytest.mark.parametrize(("setting", "names"), REFUSED)
def test_what_the_seam_cannot_carry_is_refused_by_name(setting, names):
    with pytest.raises(NotCarriedError) as caught:
        require_carried(context(**setting))
    assert names in str(caught.value) and "\n" not in str(caught.value)


def test_a_plain_server_is_carried():
    require_carried(context({"disaggregation_mode": "null", "enable_lmcache": False}))


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENTRY_POINT = PROJECT["entry-points"]["sglang.srt.plugins"]["radixlab"]


def test_the_entry_point_names_a_function_that_needs_no_sglang_to_be_found():
    module, _, name = ENTRY_POINT.partition(":")
    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("text", ["", "mine.py", ":RadixTree", "none.py:T", "README.md:T"])
def test_a_tree_that_is_not_named_says_how_to_name_one(text, monkeypatch):
    monkeypatch.setenv(TREE, text)
    monkeypatch.chdir(ROOT)
    with pytest.raises(PartFileError, match=f"^{TREE}"):
        backends()["radixlab-yours"](4)


def test_a_file_that_fails_or_lacks_the_name_says_so(tmp_path, monkeypatch):
    file = tmp_path / "mine.py"
    for source, says in {
        "1 / 0": "ZeroDivisionError",
        "Other = int": "no class or function",
    }.items():
        file.write_text(source, encoding="utf-8")
        monkeypatch.setenv(TREE, f"{file}:RadixTree")
        with pytest.raises(PartFileError, match=says):
            part_of(TREE, "mine.py:RadixTree")


def run_with_wheels(*args, **env):
    run = subprocess.run(
        [sys.executable, *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads(run.stdout.splitlines()[-1])


SELECT = """
import json
from pathlib import Path
from benchmarks.peers.sglang_requests import Serving, load, their_cache
modules = load(Path({wheels!r}))
import sglang.srt.plugins as plugins
plugins.load_plugins()  # as each process of SGLang does; it finds ours by its entry point
serving = Serving(modules, 20, 4, their_cache(modules))
made = {{}}
for name in modules.registry.registered_radix_cache_backends():
    modules.settings["memory"].radix_cache_backend = name
    try:
        made[name] = type(modules.registry.create_tree_cache(serving.context())).__name__
    except Exception as error:
        made[name] = f"{{type(error).__name__}}: {{error}}"
missing = modules.base.BasePrefixCache.__abstractmethods__
print(json.dumps([made, sorted(missing)]))
"""


@needs_wheels
def test_sglang_finds_the_plugin_and_makes_each_backend_by_its_name(tmp_path):
    info = tmp_path / "radixlab-0.dist-info"  # what an installed radixlab shows
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: radixlab\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[sglang.srt.plugins]\nradixlab = {ENTRY_POINT}\n")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    env = {TREE: "", "PYTHONPATH": path}
    made, abstract = run_with_wheels("-c", SELECT.format(wheels=WHEELS), **env)
    assert set(made) == set(backends()) and len(abstract) == 6
    yours = made.pop("radixlab-yours")
    assert set(made.values()) == {"RadixlabCache"}
    assert yours.startswith(f"PartFileError: {TREE} is ''")
