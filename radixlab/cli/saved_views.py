"""Views and guess boxes stay readable in a saved notebook, whatever has become of their kernel.

JupyterLab saves the state of widgets with the notebook, but forgets it when the kernel restarts. A
notebook that is saved after that would show an error in place of each view. `keep_views` runs in
Jupyter's server before each save. It knows the notebook's file, not the widgets.
"""

import json
import re
from pathlib import Path
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

_NAMED = re.compile(r'"IPY_MODEL_(\w+)"')


def keep_views(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Give each view on the page its state from the file as it was; show its text if there is none.

    Jupyter calls this by keywords. A failure is logged there, and the notebook is saved as it came.
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    notebook = model["content"]
    shown = {bundle[VIEW].get("model_id") for bundle in _views(notebook)}
    if shown <= _states(notebook).keys():
        return
    _carry(notebook, _states_in(Path(contents_manager.root_dir) / path.lstrip("/")), shown)
    for bundle in _views(notebook):
        if bundle[VIEW].get("model_id") not in _states(notebook) and len(bundle) > 1:
            del bundle[VIEW]  # its text stays


def _views(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the contents of all outputs that show a widget."""
    outputs = [out for cell in notebook.get("cells", []) for out in cell.get("outputs", [])]
    return [out["data"] for out in outputs if VIEW in out.get("data", {})]


def _states(notebook: dict[str, Any]) -> dict[str, Any]:
    saved = notebook.get("metadata", {}).get("widgets", {}).get(STATE, {})
    return dict(saved.get("state", {}))


def _states_in(file: Path) -> dict[str, Any]:
    """Return the states that a file holds; none if it cannot be read, or is not a notebook."""
    try:
        return _states(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _carry(notebook: dict[str, Any], before: dict[str, Any], shown: set[Any]) -> None:
    """Copy the states of these models, and of the models that they name, unless they are there."""
    states = _states(notebook)
    queue = [id for id in shown if id in before and id not in states]
    for id in queue:
        states[id] = before[id]
        named = _NAMED.findall(json.dumps(before[id]))
        queue += [each for each in named if each in before and each not in states]
    if queue:
        whole = {"state": states, "version_major": 2, "version_minor": 0}
        notebook.setdefault("metadata", {}).setdefault("widgets", {})[STATE] = whole
