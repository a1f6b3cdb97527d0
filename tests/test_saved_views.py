"""A notebook saved after its kernel restarted keeps its views: in Jupyter's own file manager."""

import copy
import random
from pathlib import Path
from typing import Any

import nbformat
import pytest

from radixlab.cli.jupyter import SAVE_HOOK
from radixlab.cli.saved_views import STATE, VIEW

manager = pytest.importorskip(
    "jupyter_server.services.contents.largefilemanager", reason="JupyterLab is not installed"
)


@pytest.fixture
def files(tmp_path: Path) -> Any:
    return manager.LargeFileManager(root_dir=str(tmp_path), pre_save_hook=SAVE_HOOK)


def notebook(shown: list[str], states: dict[str, Any]) -> Any:
    """Return a notebook whose cells show these models; a missing list of states is `{}`."""
    cells = []
    for id in shown:
        data = {VIEW: {"model_id": id, "version_major": 2}, "text/plain": f"text of {id}"}
        output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
        cells.append(nbformat.v4.new_code_cell("view", outputs=[output]))
    whole = nbformat.v4.new_notebook(cells=cells)
    if states:
        whole.metadata.widgets = {STATE: {"state": states, "version_major": 2, "version_minor": 0}}
    return whole


def save(files: Any, content: Any, path: str = "one.ipynb") -> tuple[list[Any], dict[str, Any]]:
    """Save a notebook; return the models that the file shows, and the states that it holds."""
    files.save({"type": "notebook", "content": copy.deepcopy(content), "format": "json"}, path)
    saved = files.get(path)["content"]
    shown = [o.data.get(VIEW, {}).get("model_id") for c in saved.cells for o in c.outputs]
    return shown, saved.metadata.get("widgets", {}).get(STATE, {}).get("state", {})


def state(*names: str) -> dict[str, Any]:
    refers = {f"part{k}": f"IPY_MODEL_{name}" for k, name in enumerate(names)}
    return {"model_name": "AnyModel", "state": {"children": [refers], "text": "IPY_MODEL_"}}


def test_views_keep_the_state_that_jupyterlab_forgot_at_a_restart(files: Any) -> None:
    states = {"view": state("feed"), "feed": state("look", "view"), "look": state(), "old": state()}
    save(files, notebook(["view"], states))
    for _ in range(2):
        shown, kept = save(files, notebook(["view"], {}))
        assert shown == ["view"] and kept.keys() == {"view", "feed", "look"}


def test_a_view_of_which_nobody_knows_the_state_leaves_its_text(files: Any) -> None:
    shown, _ = save(files, notebook(["gone", "here"], {"here": state()}))
    assert shown == [None, "here"]
    outputs = [o for c in files.get("one.ipynb")["content"].cells for o in c.outputs]
    assert outputs[0].data["text/plain"] == "text of gone"


def test_a_new_state_is_never_replaced_by_an_old_one(files: Any) -> None:
    save(files, notebook(["view"], {"view": state("a"), "a": state()}))
    _, kept = save(files, notebook(["view", "other"], {"other": state()}))
    assert kept["view"] == state("a") and "a" in kept
    _, kept = save(files, notebook(["view"], {"view": state()}))
    assert kept == {"view": state()}


@pytest.mark.parametrize(
    "before", ["", "{", "[]", '{"metadata": 3}', '{"cells": [{"outputs": 1}]}']
)
def test_whatever_the_file_was_the_notebook_is_saved(files: Any, before: str) -> None:
    (Path(files.root_dir) / "one.ipynb").write_text(before)
    shown, _ = save(files, notebook(["view", "other"], {"other": state()}))
    assert shown == [None, "other"]


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_of_runs_restarts_and_saves_no_view_lacks_its_state(
    files: Any, seed: int
) -> None:
    draw, page, live = random.Random(seed), ["v0"], {"v0": state("f0"), "f0": state()}
    for k in range(1, 30):
        match draw.randrange(3):
            case 0:
                live |= {f"v{k}": state(f"f{k}"), f"f{k}": state()}
                page = [*page, f"v{k}"][-4:]
            case 1:
                live = {}  # a restart
            case _:
                shown, kept = save(files, notebook(page, live))
                for id in filter(None, shown):
                    assert id in kept and f"f{id[1:]}" in kept
                assert {id for id in page if id in live} <= set(shown)
