"""Views in a real kernel: freed when their cell runs again, and not before."""

import os
from collections.abc import Callable, Iterator

import pytest

client = pytest.importorskip("jupyter_client", reason="Jupyter is not installed")
pytest.importorskip("ipykernel", reason="Jupyter is not installed")

START = """
import gc, weakref
from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.viz import CacheView
from radixlab.viz.feed import _FEEDS
cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4))
made = weakref.WeakSet()

def new(shared=True):
    view = CacheView(cache if shared else KVCacheManager(CacheConfig(num_blocks=4, block_size=4)))
    made.add(view)
    return view

def left():
    gc.collect()
    print(len(made), len(_FEEDS), len(cache.emit.members) if cache.emit else 0)
"""
# How a cell makes its view, and what it shows of it.
WAYS = {
    "a variable": "view = new()",
    "shown": "new()",
    "a variable, shown": "view = new()\nview",
    "displayed": "from IPython.display import display\nview = new()\ndisplay(view)",
    "shown twice": "from IPython.display import display\nview = new()\ndisplay(view)\nview",
    "one of a list": "views = [new() for _ in range(5)]\nviews[0]",
    "closed": "view = new()\nview.close()",
}


@pytest.fixture(scope="module")
def kernel() -> Iterator[Callable[..., str]]:
    manager = client.KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "RADIXLAB_STATIC": "0"})
    link = manager.client()
    link.start_channels()
    link.wait_for_ready(timeout=120)

    def run(source: str, cell: str) -> str:
        """Run a cell as JupyterLab does, which says the cell's id; return what it prints."""
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        message = link.session.msg("execute_request", content, metadata={"cellId": cell})
        link.shell_channel.send(message)
        text = ""
        while True:
            reply = link.get_iopub_msg(timeout=120)
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            assert reply["msg_type"] != "error", "\n".join(reply["content"]["traceback"])
            if reply["msg_type"] == "stream":
                text += reply["content"]["text"]
            if reply["content"].get("execution_state") == "idle":
                return text

    run(START, "start")
    yield run
    link.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_views_made_again_in_a_cell_are_freed(kernel: Callable[..., str], way: str) -> None:
    kernel("view = views = None", "nothing")
    kernel("new()", "another")  # a cell that stays as it is
    for _ in range(4):
        kernel(way, "made")
    most = 5 if way == WAYS["one of a list"] else 1
    assert kernel("left()", "count").split() == [str(1 + most), "1", "1"]
    kernel("view = views = None", "made")  # the cell is another one now
    assert kernel("left()", "count").split() == ["1", "1", "1"]
    kernel("pass", "another")
    assert kernel("left()", "count").split() == ["0", "0", "0"]


def test_a_view_that_a_page_shows_stays_alive(kernel: Callable[..., str]) -> None:
    kernel("new()", "a")
    kernel("new()", "b")
    kernel("[None for _ in range(5)]", "c")  # three results later, `_` and its like are others
    for k in range(4):
        kernel(str(k), f"d{k}")
    assert kernel("left()", "count").split() == ["2", "1", "1"]
    kernel("pass", "a")
    assert kernel("left()", "count").split()[0] == "1"
    kernel("pass", "b")
    assert kernel("left()", "count").split() == ["0", "0", "0"]


def test_a_view_of_a_cache_that_was_made_again_lets_the_old_cache_go(
    kernel: Callable[..., str],
) -> None:
    for _ in range(3):
        kernel("view = new(shared=False)\nview", "made")
    assert kernel("left()", "count").split()[:2] == ["1", "1"]
    kernel("view = None", "made")
    assert kernel("left()", "count").split() == ["0", "0", "0"]


def test_a_reloaded_page_gets_the_state_of_every_living_view(kernel: Callable[..., str]) -> None:
    ask = """
from ipywidgets.widgets import widget
view = new()
states = {name: w.get_state() for name, w in widget._instances.items()}
state = states[view.model_id]
feed = states[state["feed"].removeprefix("IPY_MODEL_")]
print(sorted({"feed", "title", "_esm"} & set(state)), '"num_blocks": 64' in feed["keyframe"])
del state, states, feed
"""
    assert kernel(ask, "a") == "['_esm', 'feed', 'title'] True\n"
    kernel("view = None", "a")
    assert kernel("left()", "count").split() == ["0", "0", "0"]
