"""Bars of 100 people, in parts side by side: each part a share of them, told apart by lightness and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from reports.figures.drawing import GRID, escaped, for_pointer
from reports.figures.strips import BODY, SMALL, fits, lay_out_strips, lay_strips, name_in_legend
from reports.language import say
from reports.theme import INK

ALL: Final = 100.0
_WHITE: Final = "#ffffff"
_LIGHT: Final = 0.18
"""Relative luminance from which ink is read better than white."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one bar: from where on, how many people of 100; of `texts` the first that has room stands in it."""

    start: float
    people: float
    texts: tuple[str, ...] = ()
    hover: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of all bars: its name in the legend, its colour, and its pieces by bar; None where a bar has none."""

    name: str
    colour: str
    pieces: tuple[Piece | None, ...]
    is_hatched: bool = False
    is_outlined: bool = False


def plot_stacks(labels: Sequence[str], parts: Sequence[Part]) -> go.Figure:
    """Return bars with a label above each, from 0 to 100 people.

    Parameters
    ----------
    labels : sequence of str
        Of the bars, from the top.
    parts : sequence of Part
        Each with as many pieces as there are bars.
    """
    strips, figure = lay_strips(labels), go.Figure()
    drawn = [part for part in parts if any(part.pieces)]
    for part in drawn:
        figure.add_trace(_trace(part, strips.middles))
    axis = {"range": [0, ALL], "tickvals": [0, 25, 50, 75, 100], "title": {"text": escaped(say("People of 100"))},
            "showgrid": False}  # fmt: skip
    names, words = [part.name for part in drawn], _words_on_hatching(drawn, strips.middles)
    return lay_out_strips(figure, strips, axis, names=names, annotations=words, barmode="overlay")


def shades(number: int) -> list[str]:
    """Return colours from light to dark, told apart in grey as well."""
    light, dark = (222, 235, 245), (8, 48, 84)
    steps = [place / max(number - 1, 1) for place in range(number)]
    return ["#" + "".join(f"{round(a + (b - a) * step):02x}" for a, b in zip(light, dark, strict=True))
            for step in steps]  # fmt: skip


def _trace(part: Part, middles: Sequence[float]) -> go.Bar:
    own = [(piece, middle) for piece, middle in zip(part.pieces, middles, strict=True) if piece is not None]
    edge: dict[str, Any] = {"color": INK, "width": 2} if part.is_outlined else {"color": _WHITE, "width": 1.5}
    marker: dict[str, Any] = {"color": part.colour, "line": edge}
    if part.is_hatched:
        marker = {"color": _WHITE, "line": {"color": GRID, "width": 1},
                  "pattern": {"shape": "/", "fgcolor": part.colour, "bgcolor": _WHITE, "size": 7}}  # fmt: skip
    return go.Bar(
        name=name_in_legend(part.name), orientation="h", hoverinfo="text", marker=marker, width=BODY,
        x=[piece.people for piece, _ in own], base=[piece.start for piece, _ in own],
        y=[middle for _, middle in own], hovertext=[for_pointer(piece.hover) for piece, _ in own],
        text=["" if part.is_hatched else _text(piece) for piece, _ in own], textposition="inside",
        insidetextanchor="middle", textangle=0, constraintext="none",
        textfont={"size": SMALL, "color": _on(part)},
    )  # fmt: skip


def _words_on_hatching(parts: Sequence[Part], middles: Sequence[float]) -> list[dict[str, Any]]:
    """Return the texts of hatched pieces on a white ground: nobody can read letters among lines."""
    return [
        {"text": _text(piece), "x": piece.start + piece.people / 2, "y": middle, "showarrow": False,
         "font": {"size": SMALL}, "bgcolor": _WHITE}
        for part in parts if part.is_hatched
        for piece, middle in zip(part.pieces, middles, strict=True) if piece is not None and _text(piece)
    ]  # fmt: skip


def _text(piece: Piece) -> str:
    return next((escaped(text) for text in piece.texts if fits(text, piece.people)), "")


def _on(part: Part) -> str:
    """Return the colour that text is read best in on a part."""
    channels = [int(part.colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    luminance = sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return INK if luminance > _LIGHT else _WHITE
