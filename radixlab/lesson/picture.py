"""A plot as notebooks keep it: a PNG for people, and text that nbval compares."""

import base64
import io
from dataclasses import dataclass
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished figure and what it says in words and numbers."""

    png: bytes
    text: str

    @classmethod
    def of(cls, figure: Figure, text: str) -> "Picture":
        """Draw a figure; the same figure gives the same bytes."""
        out = io.BytesIO()
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(out, metadata={"Software": None})
        return cls(out.getvalue(), text)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        png = base64.b64encode(self.png).decode()
        return {"text/plain": self.text, "image/png": png}, {"image/png": {"width": 700}}
