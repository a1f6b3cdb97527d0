"""A backend that cannot serve is refused when the runner is made, by one line that says why."""

import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("safetensors", reason="safetensors is not installed: the extra `model` has it")

from radixlab.attention import BackendError, KVPool, backends, check_backend  # noqa: E402
from radixlab.cache import CacheConfig  # noqa: E402
from radixlab.llm import LLM  # noqa: E402
from radixlab.model.runner import Runner  # noqa: E402
from tests.model.checkpoints import tiny_model  # noqa: E402

HAS_TRITON = importlib.util.find_spec("triton") is not None
FLOATS = {torch.float64, torch.float32, torch.float16, torch.bfloat16}


def model(dtype=torch.float32, **changes):
    return tiny_model(**changes).to(dtype)


def refused(backend, says, **how):
    """Neither a runner nor an LLM can be made; the message is one line."""
    for make in (
        lambda: Runner(model(**how), CacheConfig(8, 4), backend),
        lambda: LLM(model(**how), cache=CacheConfig(8, 4), backend=backend),
    ):
        with pytest.raises(BackendError, match=says) as caught:
            make()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gpu", "", "CPU", 3, ["cpu"], b"cpu", False], ids=repr)
def test_an_unknown_backend(name):
    refused(name, r"backend .* is not one of reference, cpu, triton")


@pytest.mark.skipif(not HAS_TRITON, reason="triton is not installed")
@pytest.mark.parametrize(
    "how, says",
    [
        ({"head_dim": 32}, "needs a GPU; the pool is on cpu"),
        ({"head_dim": 24}, "head_dim of .* not torch.float32 and 24"),
        ({"head_dim": 32, "dtype": torch.float64}, "fp16, bf16 or fp32 .* not torch.float64"),
        ({"head_dim": 32, "num_heads": 65, "num_kv_heads": 1}, "up to 64 query heads .* not 65"),
    ],
    ids=str,
)
def test_triton_without_what_it_needs(how, says):
    refused("triton", says, **how)


def test_triton_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    backends._load.cache_clear()
    refused("triton", "needs triton, which is not installed: pip install", head_dim=32)


@pytest.mark.skipif(not HAS_TRITON, reason="triton is not installed")
def test_triton_that_cannot_be_imported(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("radixlab.attention.triton")]:
        monkeypatch.delitem(sys.modules, name)
    empty = types.ModuleType("triton")
    empty.__spec__ = ModuleSpec("triton", None)
    monkeypatch.setitem(sys.modules, "triton", empty)
    backends._load.cache_clear()
    refused("triton", "backend 'triton' cannot be imported: ", head_dim=32)


DTYPES = [
    getattr(torch, name)
    for name in ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("backend", ["reference", "cpu", None])
def test_each_dtype_is_served_or_refused_by_name(backend, dtype):
    pool = KVPool(*(torch.zeros(3, 4, 2, 16).to(dtype) for _ in "kv"))
    if dtype in FLOATS:
        check_backend(pool, 2, backend)
    else:
        with pytest.raises(BackendError, match=f"fp64, fp32, fp16 or bf16, not {dtype}"):
            check_backend(pool, 2, backend)


@pytest.mark.parametrize("backend", ["cpu", None])
def test_a_pool_elsewhere(backend):
    pool = KVPool(*(torch.zeros(3, 4, 2, 16, device="meta") for _ in "kv"))
    with pytest.raises(BackendError, match="cannot read a pool on meta"):
        check_backend(pool, 2, backend)
