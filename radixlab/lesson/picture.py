"""A plot in a notebook: a PNG for people, and text that nbval compares."""

import base64
import io
from dataclasses import dataclass
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from radixlab.viz.theme import on_any_page

WIDE = 10.5
"""Inches; wider figures are displayed wider, or their letters would be too small."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished figure, and its content in words and numbers."""

    png: bytes
    text: str
    width: int = 700
    """Width on the page, in pixels."""

    @classmethod
    def of(cls, figure: Figure, text: str) -> "Picture":
        """Draw a figure for light and dark pages; the same figure gives the same bytes."""
        out = io.BytesIO()
        canvas: Any = FigureCanvasAgg(on_any_page(figure))
        canvas.print_png(out, metadata={"Software": None})
        return cls(out.getvalue(), text, 1000 if figure.get_figwidth() > WIDE else 700)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        png = base64.b64encode(self.png).decode()
        about = {"width": self.width, "alt": self.text.splitlines()[0] if self.text else "A plot"}
        return {"text/plain": self.text, "image/png": png}, {"image/png": about}
