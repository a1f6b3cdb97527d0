import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "radixlab"
LAYERS = [  # imports point down this list only
    "cli",
    "doctor",
    "site",
    "lesson",
    "yours",
    "bench",
    "grade",
    "serve",
    "bridge",
    "route",
    "why",
    "viz",
    "certify",
    "load",
    "observe",
    "llm",
    "engine",
    "sched",
    "model",
    "attention",
    "workloads",
    "cache",
    "events",
    "log",
    "files",
    "escape",
    "columns",
    "home",
    "build",
    "extras",
    "openmp",
    "interrupts",
    "guarded_call",
    "choices",
    "config",
    "exercise",
]
TOP = {"__main__"}  # `python -m radixlab`: above everything
TORCH = ["torch", "triton"]
NOTEBOOK = ["jupyterlab", "notebook", "IPython", "ipykernel", "ipywidgets", "anywidget"]
PLOTTING = ["matplotlib", "graphviz", "pygraphviz", "PIL"]
HTTP = ["http.server", "fastapi", "starlette", "uvicorn", "aiohttp", "httpx", "requests", "tornado"]


def layer_of(module):
    """radixlab.cache.tree -> cache; the package itself -> None."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Every module of ours that a file imports, wherever in the file, by `import_module` too."""
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names = [each.value for each in node.args if isinstance(each, ast.Constant)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "radixlab")


def upward(path):
    """The imports of a file that point to its own level's neighbours above it."""
    own = layer_of(module_name(path))
    if own is None or own in TOP:
        return []
    allowed = LAYERS[LAYERS.index(own) :]
    targets = ((name, layer_of(name)) for name in imports(path))
    if own == "events":
        allowed = []
    return [name for name, layer in targets if layer in LAYERS and layer not in allowed]


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_part_has_its_place_in_the_list():
    parts = {layer_of(module_name(path)) for path in FILES} - {None}
    assert parts <= {*LAYERS, *TOP}


def test_imports_point_down():
    up = {path.relative_to(PACKAGE).as_posix(): upward(path) for path in FILES}
    assert {file: names for file, names in up.items() if names} == {}


def test_a_test_that_prose_names_exists():
    named = {
        name for path in FILES for name in re.findall(r"tests/[\w/]+\.py", path.read_text("utf-8"))
    }
    assert named and {name for name in named if not (PACKAGE.parent / name).exists()} == set()


def test_an_import_that_points_up_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path / "radixlab")
    file = tmp_path / "radixlab" / "cache" / "tree.py"
    file.parent.mkdir(parents=True)
    file.write_text("def f():\n    from radixlab import viz\n    from ..events import NodeSplit\n")
    assert upward(file) == ["radixlab.viz"]


BLOCKED = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if any(name == bad or name.startswith(bad + ".") for bad in {blocked!r}):
            raise AssertionError(f"imported {{name}}")
sys.meta_path.insert(0, Refuse())
import {module}
"""


def can_import(module, blocked):
    code = BLOCKED.format(module=module, blocked=blocked)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_the_cache_imports_without_torch_notebooks_or_plots():
    run = can_import("radixlab.cache", TORCH + NOTEBOOK + PLOTTING + HTTP)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("part", ["sched", "engine", "model.counting"])
def test_the_scheduler_and_the_engine_import_without_torch(part):
    run = can_import(f"radixlab.{part}", TORCH + NOTEBOOK + PLOTTING + HTTP)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("part", ["attention", "model.runner", "model.sampler", "engine"])
def test_the_engine_imports_on_a_bare_gpu_machine(part):
    if not any(PACKAGE.glob(f"{part.split('.')[0]}*")):
        pytest.skip(f"radixlab.{part} is not written yet")
    if not importlib.util.find_spec("torch"):
        pytest.skip("torch is not installed: the extra `model` brings it")
    run = can_import(f"radixlab.{part}", NOTEBOOK + PLOTTING + HTTP)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("door", ["import radixlab.attention", "from radixlab.model import Llama"])
def test_without_torch_the_import_of_what_needs_it_says_what_to_install(door):
    code = f"import sys; sys.modules['torch'] = None; {door}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    says = "radixlab.attention needs torch, which is not installed: pip install 'radixlab[model]'"
    assert run.stderr.splitlines()[-1] == f"radixlab.attention.errors.TorchMissingError: {says}"


def test_the_model_shows_all_it_has():
    pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
    pytest.importorskip("tokenizers", reason="tokenizers is not installed: `model` brings it")
    import radixlab.model as model

    assert all(getattr(model, name).__name__ == name for name in model._HOMES)
    with pytest.raises(AttributeError, match=r"has no Lama; it has .*Llama"):
        model.Lama  # noqa: B018


def test_a_blocked_import_is_seen():
    assert "imported numpy" in can_import("radixlab.cache", ["numpy"]).stderr
