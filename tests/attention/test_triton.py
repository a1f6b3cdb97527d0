"""The GPU kernels without a GPU: interpreted, and compiled for an H100 or H200 (sm_90)."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

if not all(map(importlib.util.find_spec, ("torch", "triton"))):
    pytest.skip("torch or triton is not installed", allow_module_level=True)

import triton

SOAK = os.environ.get("RADIXLAB_SOAK") == "1"
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OLD = tuple(map(int, triton.__version__.split(".")[:2])) < (3, 7)
NEW_NUMPY = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 4)


def python(*args, **environment):
    """Run Python in a process of its own; one interprets or compiles, never both."""
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    run = subprocess.run([sys.executable, *args], cwd=ROOT, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    return run.stdout


@pytest.mark.skipif(
    OLD and NEW_NUMPY,
    reason=f"the interpreter of triton {triton.__version__} does not run with NumPy "
    f"{np.__version__}: triton 3.7 or NumPy 2.3 is needed",
)
def test_interpreted_kernels_equal_the_reference():
    file = HERE / "interpreted.py"
    chosen = [] if SOAK else ["-m", "not soak"]  # the skip of the outer run would be counted twice
    options = ("-q", "-p", "no:cacheprovider", *chosen)
    said = python("-m", "pytest", *options, str(file), TRITON_INTERPRET="1")
    assert " passed" in said and "skipped" not in said


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """What ptxas made of the largest configurations, or under `make soak` of all."""
    cache = str(tmp_path_factory.mktemp("triton"))
    which = ["all"] if SOAK else []
    return json.loads(python(str(HERE / "compile_sm90.py"), *which, TRITON_CACHE_DIR=cache))


def test_no_configuration_spills(compiled):
    assert {name: c["spills"] for name, c in compiled.items() if c["spills"]} == {}


def test_every_configuration_fits_in_shared_memory(compiled):
    assert max(c["shared_bytes"] for c in compiled.values()) <= 227 * 1024


def test_wide_tiles_use_the_matrix_units_of_warp_groups(compiled):
    wide = [c for c in compiled.values() if c["rows"] >= 64 and c["dtype"] != "fp32"]
    assert wide and all(c["hgmma"] for c in wide)


def test_keys_are_loaded_asynchronously(compiled):
    attending = [c for c in compiled.values() if c["rows"]]
    assert attending and all(c["async_copies"] for c in attending)
