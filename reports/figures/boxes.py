"""Boxes and arrows of a flow diagram: columns beside each other, what left the flow at its side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from reports.figures.drawing import lay_out, wrapped
from reports.theme import INK

ACROSS: Final = 100.0
"""Width of the drawing, in its own units; its height is in pixels."""
MIDDLE: Final = ACROSS / 2
Span = tuple[float, float]
"""Left and right side of a box."""
_SIZE: Final = 13
_LINE: Final = 17.0
_PAD: Final = 8.0
_STEP: Final = 26.0
"""Between boxes, where the arrows are."""
APART: Final = _STEP / 2
"""Between boxes without an arrow."""
_MARGIN: Final = 6
_MOST_LINES: Final = 6
"""Of each text in a box, which is narrow."""
_CHARACTERS: Final = 0.362
"""Characters to a line of a box on a phone, of each unit of its width."""


@dataclass(slots=True)
class Boxes:
    """Boxes and arrows so far; `y` is how far down they reach, in pixels."""

    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    y: float = 0.0

    def put_row(self, texts: Sequence[Sequence[str]], spans: Sequence[Span], *, fill: str = "#ffffff") -> None:
        """Put boxes of one height beside each other, each with its lines of text, which are not escaped yet."""
        written = [_in_lines(lines, span) for lines, span in zip(texts, spans, strict=True)]
        height = max(map(_height, written))
        for text, span in zip(written, spans, strict=True):
            self._box(text, span, height, fill)
        self.y += height

    def put_arrows(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Put an arrow down to each place of `end`; from one place it branches."""
        middle, bottom = self.y + _STEP / 2, self.y + _STEP
        is_branching = list(start) != list(end)
        if is_branching:
            self._rule(start[0], self.y, start[0], middle)
            self._rule(min(end), middle, max(end), middle)
        for x in end:
            self._arrow((x, middle if is_branching else self.y), (x, bottom))
        self.y = bottom

    def put_aside(self, lines: Sequence[str], span: Span) -> None:
        """Put a box at the side of the line that leads on from the middle, with an arrow to it."""
        text, top = _in_lines(lines, span), self.y
        height = _height(text)
        self.y += APART
        self._box(text, span, height, "#ffffff")
        self._arrow((MIDDLE, self.y + height / 2), (span[0], self.y + height / 2))
        self.y += height
        self._rule(MIDDLE, top, MIDDLE, self.y)

    def put_rails(self, places: Sequence[float], top: float) -> None:
        """Put a line from `top` past everything since to the row that comes next, with an arrow, at each place."""
        self.y += _STEP
        for x in places:
            self._arrow((x, top), (x, self.y))

    def draw(self) -> go.Figure:
        """Return the figure."""
        axis = {"visible": False, "fixedrange": True}
        return lay_out(
            go.Figure(),
            height=int(self.y) + 2 * _MARGIN,
            margin={"l": _MARGIN, "r": _MARGIN, "t": _MARGIN, "b": _MARGIN},
            showlegend=False,
            xaxis={**axis, "range": [-0.5, ACROSS + 0.5]},
            yaxis={**axis, "range": [int(self.y) + 1, -1]},
            shapes=self.shapes,
            annotations=self.annotations,
        )

    def _box(self, text: str, span: Span, height: float, fill: str) -> None:
        left, right = span
        self.shapes.append({"type": "rect", "x0": left, "x1": right, "y0": self.y, "y1": self.y + height,
                            "fillcolor": fill, "line": {"color": INK, "width": 1}})  # fmt: skip
        self.annotations.append({"x": (left + right) / 2, "y": self.y + height / 2, "text": text, "showarrow": False,
                                 "xanchor": "center", "yanchor": "middle", "font": {"size": _SIZE}})  # fmt: skip

    def _arrow(self, tail: tuple[float, float], head: tuple[float, float]) -> None:
        self.annotations.append({"x": head[0], "y": head[1], "ax": tail[0], "ay": tail[1], "axref": "x", "ayref": "y",
                                 "text": "", "showarrow": True, "arrowhead": 2, "arrowwidth": 1,
                                 "arrowcolor": INK})  # fmt: skip

    def _rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.shapes.append({"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": {"color": INK, "width": 1}})


def _in_lines(lines: Sequence[str], span: Span) -> str:
    width = int((span[1] - span[0]) * _CHARACTERS)
    return "<br>".join(wrapped(line, width, _MOST_LINES) for line in lines)


def _height(text: str) -> float:
    return (text.count("<br>") + 1) * _LINE + 2 * _PAD
