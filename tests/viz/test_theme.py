"""Pictures on a light page and on a dark one: no white box, and every text has its contrast."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from radixlab.lesson.picture import Picture
from radixlab.lesson.props.paged.plans import plot_prefill
from radixlab.observe.state import NodeState, SequenceState, State
from radixlab.viz import still
from radixlab.viz.palette import INK, LINE, SOFT, TEXT
from radixlab.viz.race import COLOURS, draw_race
from radixlab.viz.theme import is_grey, on_any_page

LIGHT, DARK = "#ffffff", "#111111"
RACE = {name: [(10, 5)] * 30 for name in ("lru", "lfu", "belady")}


def figure_with(draw: Callable[[Figure], object]) -> Callable[[], Figure]:
    def make() -> Figure:
        draw(figure := Figure(figsize=(3, 2), layout="constrained"))
        return figure

    return make


def _legend(figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot([1, 2], label="a")
    axes.plot([2, 1], color="black", label="b")
    axes.legend(title="which")
    axes.grid(color=LINE)


def _labels(figure: Figure) -> None:
    axes = figure.subplots()
    axes.set(xlabel="x", ylabel="y", title="title", xscale="log", xlim=(1, 1000))
    axes.tick_params(colors=SOFT, labelsize=8)
    axes.minorticks_on()
    figure.suptitle("above", color=INK)


def _texts(figure: Figure) -> None:
    axes = figure.subplots()
    axes.bar(["a", "b"], [1, 2])
    axes.text(0, 0.5, "on a bar", color=INK)
    axes.annotate("beside", (1, 2), color="black")


def _twins(figure: Figure) -> None:
    axes = figure.subplots()
    axes.twinx().set_ylabel("right", color="#0072B2")
    axes.imshow(np.eye(3), cmap="viridis")


FIGURES = {
    "legend": figure_with(_legend),
    "labels": figure_with(_labels),
    "texts": figure_with(_texts),
    "twins": figure_with(_twins),
    "two panels": figure_with(lambda figure: figure.subplots(1, 2)),
    "a race": lambda: draw_race(RACE, {"lru": [(50, 0.1), (99, 0.2)]}, "a race"),
}


def luminance(color: str) -> float:
    parts = np.array(to_rgb(color))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def share_of_white(png: bytes) -> float:
    pixels = np.array(Image.open(BytesIO(png)).convert("RGBA"))
    return float(((pixels[..., :3] > 240).all(-1) & (pixels[..., 3] > 200)).mean())


def test_what_lies_on_the_page_is_legible_on_both() -> None:
    assert all(contrast(TEXT, page) >= 4 for page in (LIGHT, DARK))
    dim = [colour for colour in COLOURS if min(contrast(colour, p) for p in (LIGHT, DARK)) < 1.9]
    assert dim == []


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_a_figure_is_no_box_and_its_texts_are_legible(make: Callable[[], Figure]) -> None:
    figure = on_any_page(make())
    FigureCanvasAgg(figure).draw()
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text() and text.get_visible() and is_grey(text.get_color()):
            assert text.get_color() == TEXT or text.get_path_effects(), text
    assert share_of_white(Picture.of(make(), "").png) < 0.03


GROUNDS: dict[str, tuple[Callable[[Axes], object], bool]] = {
    "nothing": (lambda axes: None, False),
    "a grid": (lambda axes: axes.grid(), False),
    "a curve": (lambda axes: axes.plot([0, 1], [0.2, 0.8]), False),
    "points beside it": (lambda axes: axes.scatter([0.2], [0.5]), False),
    "a bar beside it": (lambda axes: axes.barh([0.5], [0.3]), False),
    "a bar": (lambda axes: axes.barh([0.5], [1]), True),
    "an image": (lambda axes: axes.imshow(np.eye(2), extent=(0, 1, 0, 1)), True),
    "a filled area": (lambda axes: axes.fill_between([0, 1], [1, 1], alpha=0.3), True),
    "a grey area": (lambda axes: axes.axvspan(0, 1, color="#eeeeee"), True),
}


@pytest.mark.parametrize("place", ["text", "note"])
@pytest.mark.parametrize(("draw", "covered"), GROUNDS.values(), ids=GROUNDS)
def test_only_a_text_on_a_drawn_area_has_a_white_edge(
    draw: Callable[[Axes], object], covered: bool, place: str
) -> None:
    axes = Figure(figsize=(4, 3), dpi=60, layout="constrained").subplots()
    draw(axes)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    if place == "text":
        text = axes.text(0.5, 0.5, "text", color=INK, va="center")
    else:
        text = axes.annotate("text", (0, 0.5), (0.5, 0.5), arrowprops={}, va="center")
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    on_any_page(figure)
    assert (text.get_color() == TEXT) is not covered
    assert bool(text.get_path_effects()) is covered
    assert text.get_alpha() is None


def test_stills_are_no_boxes() -> None:
    nodes = {0: NodeState(0, None, None, [1, 2], [0, 1]), 1: NodeState(1, 0, None, [3], [2], 1)}
    tables = {0: SequenceState(0, None, [1, 2, 3, 4], [0, 1, 2, 3], 2)}
    state = State(40, 1, nodes, tables, transfers=[(4, 5, "copy")], num_host_blocks=4)
    assert share_of_white(still(state, lambda token: "ab")) < 0.03
    assert share_of_white(plot_prefill(20, 10).png) < 0.03


def test_a_picture_says_its_first_line_to_who_cannot_see_it() -> None:
    _, about = Picture.of(FIGURES["labels"](), "a line\nand more")._repr_mimebundle_()
    assert about["image/png"]["alt"] == "a line"
