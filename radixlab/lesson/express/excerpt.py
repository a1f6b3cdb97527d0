"""The part of a lesson before a question, as HTML: text, code, printed output and pictures."""

import html
from collections.abc import Iterable, Iterator
from typing import Any

import mistune

from radixlab.lesson.cells import Cell

_HIDDEN = ("Predict: ", "  ○ ", "You made no guess")
"""Lines of other questions."""


def excerpt(cells: Iterable[Cell]) -> str:
    """Return the cells as HTML. Markup in their texts stays text, and links become plain words."""
    return "\n".join(piece for cell in cells for piece in _cell(cell))


def _cell(cell: Cell) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield str(
            mistune.create_markdown(renderer=_Plain(escape=True), plugins=["table"])(cell.source)
        )
    elif cell.cell_type == "code" and "predict(" not in cell.source:
        yield f'<pre class="rx-code"><code>{html.escape(cell.source)}</code></pre>'
        for output in cell.outputs:
            yield from _output(output)


class _Plain(mistune.HTMLRenderer):
    """HTML without links: where an excerpt is shown, a relative link would lead nowhere."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text


def _output(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data", {})
    text = "".join(data.get("text/plain", output.get("text", "")))
    if "image/png" in data:
        alt = html.escape(text.partition("\n")[0])
        png = "".join("".join(data["image/png"]).split())
        yield f'<img alt="{alt}" src="data:image/png;base64,{html.escape(png)}">'
        return
    lines = [line for line in text.split("\n") if not line.startswith(_HIDDEN)]
    if any(map(str.strip, lines)):
        yield f"<pre>{html.escape(chr(10).join(lines).rstrip())}</pre>"
