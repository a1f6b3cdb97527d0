"""A plot in a notebook: a PNG for people, and text that nbval compares."""

import base64
import io
from dataclasses import dataclass
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

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
        """Draw a figure; the same figure gives the same bytes."""
        out = io.BytesIO()
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(out, metadata={"Software": None})
        return cls(out.getvalue(), text, 1000 if figure.get_figwidth() > WIDE else 700)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        png = base64.b64encode(self.png).decode()
        return {"text/plain": self.text, "image/png": png}, {"image/png": {"width": self.width}}
