"""Settings of every test run: how hard Hypothesis tries, what a checked notebook may see."""

import gc
import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from radixlab.home import static_environment

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would the programs that are tested for it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has a core: more threads of torch would only wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["tests.mutants.matrix"]  # shows which test caught which broken engine

# Without torch or triton, what needs them is not looked at for doctests; its tests skip and say
# so themselves.
# Two files of the bridge need an engine that is never installed here; tests/bridge runs them.
collect_ignore_glob = ["radixlab/bridge/sglang_cache.py", "radixlab/bridge/vllm_policy.py"]
if not importlib.util.find_spec("torch"):
    collect_ignore_glob += ["radixlab/attention/*", "radixlab/bench/attention*"]
    collect_ignore_glob += [
        "radixlab/model/*",
        "radixlab/llm/*",
        "radixlab/bench/e2e*",
        "radixlab/bench/claims_times.py",
    ]
    collect_ignore_glob += ["tests/attention/[!t]*", "tests/model/[!t]*"]
if not all(map(importlib.util.find_spec, ("jinja2", "safetensors", "tokenizers"))):
    need = (
        "chat",
        "copies",
        "loader",
        "stream",
        "tensorfile",
        "tokenizer",
        "vocabulary",
        "weights",
    )
    collect_ignore_glob += [*(f"radixlab/model/{name}.py" for name in need), "tests/model/[!t]*"]
    collect_ignore_glob += [
        "radixlab/llm/*",
        "radixlab/bench/e2e*",
        "radixlab/bench/claims_times.py",
    ]
if not importlib.util.find_spec("triton"):
    collect_ignore_glob += ["radixlab/attention/triton/*", "radixlab/lesson/props/paged/child.py"]
    collect_ignore_glob += ["tests/attention/compile_sm90.py", "tests/attention/interpreted.py"]
if not importlib.util.find_spec("ray"):
    collect_ignore_glob += [f"radixlab/serve/replicas/{name}.py" for name in ("replica", "router")]

NEED_TORCH = {"06_paged_attention.ipynb", "08_production.ipynb", "09_your_engine.ipynb"}
"""Notebooks that are skipped without it; nor is what they call looked at."""
if not importlib.util.find_spec("torch"):
    collect_ignore_glob += ["radixlab/lesson/props/paged/*"]

SOAK = os.environ.get("RADIXLAB_SOAK") == "1"

# The same examples on every machine and run: a red test is a change of the code, never bad luck.
settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=60, stateful_step_count=40
)
settings.register_profile(
    "soak",
    deadline=None,
    max_examples=2000,
    stateful_step_count=150,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("soak" if SOAK else "default")


def pytest_configure(config: pytest.Config) -> None:
    # Kernels inherit this process's environment. Only notebooks are shown a bare machine: unit
    # tests may use a GPU and the production trace where there are any.
    if not getattr(config.option, "nbval", False) and not getattr(
        config.option, "nbval_lax", False
    ):
        return  # `make test-fast` has no nbval at all
    folder = Path(tempfile.mkdtemp(prefix="radixlab-nbval-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ.update(static_environment(folder))
    patterns = config.option.nbval_sanitize_with  # nbval would look in the current folder
    config.option.nbval_sanitize_with = str(config.rootpath / patterns) if patterns else None
    if not hasattr(config, "workerinput") and importlib.util.find_spec("matplotlib"):
        # A first import may print that it builds its font cache: here, not into a compared cell.
        import matplotlib.font_manager  # noqa: F401


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list | None:
    """Leave out functions that only `make soak` runs, unless the command names a test.

    They have thousands of cases, and each would be collected by every process, only to be skipped.
    Where only some cases of a function belong to `make soak`, these are skipped and say so.
    """
    if SOAK or any("::" in named for named in collector.config.args):
        return None
    marks = getattr(obj, "pytestmark", [])
    marks = marks if isinstance(marks, list) else [marks]
    return [] if any(mark.name == "soak" for mark in marks) else None


SLOW = {"browser", "repo", "test_install.py", "certify", "mutants", "serve", "grade", "attention"}
"""Where files take long. They start first: the last of them would run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SLOW.isdisjoint(item.path.parts))
    skip = pytest.mark.skip(reason="long: only under `make soak`")
    no_torch = pytest.mark.skip(reason="torch is not installed: the extra `model` brings it")
    has_torch = importlib.util.find_spec("torch")
    for item in items:
        if not SOAK and item.get_closest_marker("soak"):
            item.add_marker(skip)
        if not has_torch and item.path.name in NEED_TORCH:
            item.add_marker(no_torch)


def pytest_collection_finish() -> None:
    keep_out_of_collections()


def keep_out_of_collections() -> None:
    """Spare every later `gc.collect()` a walk over a million objects that pytest keeps anyway."""
    gc.collect()
    gc.freeze()
