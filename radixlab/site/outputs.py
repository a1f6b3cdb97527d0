"""An output of a cell as HTML: a player, a picture, Markdown, HTML or text."""

import base64
import html
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from radixlab.site.links import relative
from radixlab.site.questions import printed
from radixlab.site.record import Recording
from radixlab.viz.recorded import MIME


@dataclass
class Outputs:
    """Turns the outputs of one notebook into HTML, and collects the files that they need."""

    page: str
    """The address of the page."""
    stem: str
    """The notebook's name, which begins the names of its files."""
    markdown: Callable[[str], str]
    recordings: dict[str, Recording]
    files: dict[str, bytes] = field(default_factory=dict)
    num_players: int = 0

    def __call__(self, output: Any, source: str, cell: str) -> str:
        """Return one output of the cell with this id and source."""
        if output.output_type == "stream":
            return printed(output.text, source)
        if output.output_type == "error":
            return _text("\n".join(output.traceback))
        return self._of_data(output.data, output.get("metadata", {}), cell)

    def _of_data(self, data: Any, about: Any, cell: str) -> str:
        words = data.get("text/plain", "")
        if MIME in data:
            return self._player(data, about, cell)
        if "image/png" in data:
            return f"<figure>{self._picture(data, about, cell)}{_in_words(words)}</figure>\n"
        if "image/svg+xml" in data:
            return f'<figure class="drawing">{data["image/svg+xml"]}{_in_words(words)}</figure>\n'
        if "text/html" in data:
            return f'<div class="box">{data["text/html"]}</div>\n'
        if "text/markdown" in data:
            return f'<div class="said-by-cell">{self.markdown(data["text/markdown"])}</div>\n'
        return _text(words)

    def _player(self, data: Any, about: Any, cell: str) -> str:
        """Return the picture that a player takes the place of, and write the player's recording."""
        named = data[MIME]
        found = self.recordings[named["file"]]
        self.num_players += 1
        name = f"{self.stem}-{self.num_players:02}"
        text = json.dumps(found.content, separators=(",", ":"), ensure_ascii=True)
        self.files[f"players/{name}.js"] = f'radixlabRecordings["{name}"]={text};\n'.encode()
        file = relative(f"players/{name}.js", self.page)
        picture = self._picture(data, about, cell)
        return (
            f'<figure class="player" data-kind="{found.kind}" data-name="{name}" '
            f'data-file="{file}">{picture}</figure>\n'
        )

    def _picture(self, data: Any, about: Any, cell: str) -> str:
        png = base64.b64decode(data["image/png"])
        known = sum(path.startswith(f"pictures/{self.stem}-{cell}") for path in self.files)
        path = f"pictures/{self.stem}-{cell}{f'-{known + 1}' if known else ''}.png"
        self.files[path] = png
        told = about.get("image/png", {})
        width, height = struct.unpack(">II", png[16:24])
        shown = int(told.get("width", width))
        size = f'width="{shown}" height="{round(height * shown / width)}"'
        alt = html.escape(told.get("alt", ""))
        return f'<img src="{relative(path, self.page)}" alt="{alt}" {size} loading="lazy">'


def _text(text: str) -> str:
    return f'<pre class="out">{html.escape(text, quote=False)}</pre>\n' if text else ""


def _in_words(text: str) -> str:
    if not text or text.startswith("<"):
        return ""
    body = html.escape(text, quote=False)
    return f"<details><summary>In words</summary><pre>{body}</pre></details>"
