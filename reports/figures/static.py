r"""Charts as still drawings, for print and for readers without scripts: the same figure that plotly.js draws.

`static_svg` reads the plotly figure itself, so that its numbers cannot differ. It knows what the charts of the report
use, and refuses anything else rather than leave it out:

* traces ``scatter`` (mode of ``lines``, ``markers``, ``text``; x and y numbers or categories; None breaks the line;
  ``error_x`` and ``error_y`` with ``array`` and ``arrayminus``; ``fill`` none or ``toself``) and ``bar`` (upright or
  ``orientation="h"``; ``base``, ``width``, ``text`` inside or outside; ``marker.pattern`` of shape / \ x - | +);
  colour, symbol and size of markers and colours of bars one for all or one for each;
* ``barmode`` group, stack and overlay, with ``bargap``;
* symbols circle, square, diamond, triangle-up and triangle-down, each also ``-open``; line-ns, line-ew and x-thin;
* one ``xaxis`` below and one ``yaxis`` at the left, of numbers or categories: ``range``, ``autorange`` "reversed",
  ``tickvals`` with ``ticktext``, ``dtick``, ``nticks``, ``tickformat`` of Python's ``format``, ``tickprefix``,
  ``ticksuffix``, grid, line at zero, title, ``visible``;
* ``shapes`` rect and line, and ``annotations``, without an arrow or with one whose tail is in values of the axes or
  in pixels, in values of the axes (``x``, ``y``), in parts of the paper (``paper``) or of the axis (``x domain``);
* a legend above the chart, ``showlegend`` and ``name`` of the traces.

Texts are text: ``<br>`` breaks a line, any other mark-up is shown as it is written. Lists must be lists, not arrays.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from markupsafe import Markup, escape

from reports.figures import svg
from reports.figures.axes import Axis, draw_axis, draw_grid, open_axis, room_of
from reports.figures.drawing import HEIGHT, in_one_line
from reports.figures.marks import BAR_GAP, Span, Trace, draw_bars, draw_key, draw_scatter
from reports.figures.supported import refuse_unknown
from reports.sections import Illustration
from reports.theme import INK

WIDTH: Final = 640
"""Of the view box; the height is that of the figure in pixels."""
_SIZE: Final = 14
_ROW: Final = 21.0
"""Height of a row of the legend."""


def static_svg(item: Illustration) -> Markup:
    """Return the still drawing of an illustration.

    Parameters
    ----------
    item : Illustration
        Its `figure` is drawn; its `alternative` names the drawing for those who cannot see it.

    Returns
    -------
    Markup
        One ``svg`` element without styles and without references to anything but its own title and description.

    Raises
    ------
    ReportError
        The figure uses something that is not drawn here.
    """
    spec = item.figure.to_plotly_json()
    traces, layout = [trace for trace in spec["data"] if trace.get("visible", True)], spec["layout"]
    refuse_unknown(item.id, traces, layout)
    x, y, top = _placed(traces, layout)
    drawn = [
        _shapes(layout, x, y, "below"),
        draw_grid(x, y) + draw_grid(y, x),
        _shapes(layout, x, y, "between"),
        "".join(_marks(traces, layout, x, y)),
        _shapes(layout, x, y, "above"),
        draw_axis(x, y) + draw_axis(y, x),
        _legend(_in_legend(traces, layout), x, top),
        "".join(_annotation(each, x, y) for each in layout.get("annotations", ())),
    ]
    name = f"drawing-{item.id}"
    title, _, rest = _split(item.alternative)
    described = f'<desc id="{escape(name)}-desc">{escape(rest)}</desc>' if rest else ""
    also = f" {escape(name)}-desc" if rest else ""
    return Markup(  # noqa: S704 - every text in it was escaped
        f'<svg viewBox="0 0 {WIDTH} {svg.number(layout.get("height", HEIGHT))}" role="img" '
        f'aria-labelledby="{escape(name)}{also}" font-family="system-ui,sans-serif" font-size="{_SIZE}" fill="{INK}" '
        f'direction="ltr"><title id="{escape(name)}">{escape(title)}</title>{described}{"".join(drawn)}</svg>'
    )


def _split(alternative: str) -> tuple[str, str, str]:
    """Return the first sentence of an alternative and the rest."""
    found = re.match(r"(.+?[.!?\u061f])(\s+)(.+)", alternative, re.DOTALL)
    return (found[1], found[2], found[3]) if found else (alternative, "", "")


def _placed(traces: list[Trace], layout: dict[str, Any]) -> tuple[Axis, Axis, float]:
    """Return both axes in their places, and where the legend begins."""
    separators = layout.get("separators", ".,")
    x, y = (
        open_axis(letter, layout.get(f"{letter}axis", {}), _values(traces, layout, letter), separators=separators,
                  bars=any(trace["type"] == "bar" and (trace.get("orientation") == "h") == (letter == "x")
                           for trace in traces))
        for letter in ("x", "y")
    )  # fmt: skip
    margin = {"l": 64, "r": 36, "t": 12, "b": 64} | layout.get("margin", {})
    left, right = max(margin["l"], room_of(y) + 6), WIDTH - margin["r"]
    rows = _rows(_in_legend(traces, layout), right - left)
    top = margin["t"] + _ROW * len(rows) + (8 if rows else 0)
    bottom = layout.get("height", HEIGHT) - max(margin["b"], room_of(x) + 6)
    return replace(x, start=left, end=right), replace(y, start=bottom, end=top), margin["t"]


def _values(traces: list[Trace], layout: dict[str, Any], letter: str) -> list[Any]:
    """Return everything that is drawn along an axis."""
    found: list[Any] = []
    for trace in traces:
        values = list(trace[letter])
        error = trace.get(f"error_{letter}", {})
        for part, sign in (("array", 1), ("arrayminus", -1)):
            if part in error and not any(isinstance(value, str) for value in values):
                found += [value + sign * by for value, by in zip(values, error[part], strict=True)
                          if value is not None and by is not None]  # fmt: skip
        found += values
    bars = [trace for trace in traces if trace["type"] == "bar"]
    if bars and (bars[0].get("orientation") == "h") == (letter == "x"):
        found += [end for spans in _stacked(bars, layout) for span in spans if span for end in span]
    return found


def _marks(traces: list[Trace], layout: dict[str, Any], x: Axis, y: Axis) -> list[str]:
    """Return the drawing of each trace, bars first as plotly does."""
    bars = [trace for trace in traces if trace["type"] == "bar"]
    found = [draw_bars(bar, spans) for bar, spans in zip(bars, _spans(bars, layout, x, y), strict=True)]
    return found + [draw_scatter(trace, x, y) for trace in traces if trace["type"] == "scatter"]


def _stacked(bars: list[Trace], layout: dict[str, Any]) -> list[list[tuple[float, float] | None]]:
    """Return where each bar of each trace begins and ends, in values; None where there is none."""
    tops: dict[tuple[Any, bool], float] = {}
    found = []
    for bar in bars:
        names, values = (bar["y"], bar["x"]) if bar.get("orientation") == "h" else (bar["x"], bar["y"])
        own: list[tuple[float, float] | None] = []
        for index, (name, value) in enumerate(zip(names, values, strict=True)):
            base = bar.get("base")
            start = float(base[index] if isinstance(base, list | tuple) else base or 0.0)
            if value is not None and layout.get("barmode", "group") == "stack":
                start = tops.get((name, value < 0), 0.0)
                tops[name, value < 0] = start + value
            own.append(None if value is None else (start, start + value))
        found.append(own)
    return found


def _spans(bars: list[Trace], layout: dict[str, Any], x: Axis, y: Axis) -> list[list[Span]]:
    """Return the corners of each bar of each trace."""
    is_grouped, gap = layout.get("barmode", "group") == "group", layout.get("bargap", BAR_GAP)
    found = []
    for position, (bar, ends) in enumerate(zip(bars, _stacked(bars, layout), strict=True)):
        is_flat = bar.get("orientation") == "h"
        along, names = (y, bar["y"]) if is_flat else (x, bar["x"])
        at = [along.value_of(name) for name in names]
        slot = _slot([along.value_of(name) for each in bars for name in each["y" if is_flat else "x"]])
        width = slot * (1 - gap) / (len(bars) if is_grouped else 1)
        shift = width * (position - (len(bars) - 1) / 2) if is_grouped else 0.0
        own: list[Span] = []
        for index, (middle, span) in enumerate(zip(at, ends, strict=True)):
            wide = bar.get("width", width)
            half = (wide[index] if isinstance(wide, list | tuple) else wide) / 2
            sides = (along.at(middle + shift - half), along.at(middle + shift + half))
            if span is None:
                own.append((math.nan, math.nan, math.nan, math.nan))
            elif is_flat:
                own.append((x.at(span[0]), sides[0], x.at(span[1]), sides[1]))
            else:
                own.append((sides[0], y.at(span[0]), sides[1], y.at(span[1])))
        found.append(own)
    return found


def _slot(positions: list[float]) -> float:
    """Return the least distance between neighbouring bars; 1 where there is one alone."""
    known = sorted(set(positions))
    return min((after - before for before, after in pairwise(known)), default=1.0)


def _place(value: Any, reference: str, axis: Axis) -> float:
    """Return where a shape or annotation is along an axis."""
    if reference == "paper" or reference.endswith(" domain"):
        return axis.start + float(value) * (axis.end - axis.start)
    return axis.at(value)


def _shapes(layout: dict[str, Any], x: Axis, y: Axis, layer: str) -> str:
    found = ""
    for shape in layout.get("shapes", ()):
        if shape.get("layer", "above") != layer:
            continue
        ends = [_place(shape[name], shape.get(f"{name[0]}ref", name[0]), x if name[0] == "x" else y)
                for name in ("x0", "y0", "x1", "y1")]  # fmt: skip
        looks = shape.get("line", {})
        width = looks.get("width", 2)
        drawn = {"stroke": looks.get("color", INK) if width else None, "stroke_width": width if width not in (0, 1) else
                 None, "stroke_dasharray": svg.DASHES[looks.get("dash", "solid")]}  # fmt: skip
        opacity = shape.get("opacity", 1)
        if shape["type"] == "line":
            found += svg.path(svg.line(*ends), **drawn)
        else:
            found += svg.path(svg.box(*ends), fill=shape.get("fillcolor", "none"), **drawn,
                              opacity=None if opacity == 1 else f"{opacity:g}")  # fmt: skip
    return found


def _annotation(item: dict[str, Any], x: Axis, y: Axis) -> str:
    at = [_place(item[axis.letter], item.get(f"{axis.letter}ref", axis.letter), axis) for axis in (x, y)]
    found = ""
    if item.get("showarrow", True):
        tail = [at[index] + item[f"a{axis.letter}"] if item.get(f"a{axis.letter}ref", "pixel") == "pixel" else
                axis.at(item[f"a{axis.letter}"]) for index, axis in enumerate((x, y))]  # fmt: skip
        found, at = _arrow(item, tail, at), tail
    text, font = item.get("text", ""), item.get("font", {})
    if not text.strip():
        return found
    size = float(font.get("size", _SIZE))
    wide, high = svg.width_of(text, size), svg.height_of(text, size)
    anchors = (_anchor(item, "x", ("left", "center", "right")), _anchor(item, "y", ("bottom", "middle", "top")))
    left = at[0] + item.get("xshift", 0) - wide * {"left": 0.0, "center": 0.5, "right": 1.0}[anchors[0]]
    middle = at[1] - item.get("yshift", 0) + high * {"top": 0.5, "middle": 0.0, "bottom": -0.5}[anchors[1]]
    align = item.get("align", "center")
    if "bgcolor" in item or item.get("bordercolor"):
        pad = item.get("borderpad", 1) + 2
        found += svg.path(svg.box(left - pad, middle - high / 2 - pad, left + wide + pad, middle + high / 2 + pad),
                          fill=item.get("bgcolor", "none"), stroke=item.get("bordercolor"))  # fmt: skip
    place = {"left": ("start", left), "center": ("middle", left + wide / 2), "right": ("end", left + wide)}
    anchor, across = place[anchors[0] if len(svg.lines_of(text)) == 1 else align]
    return found + svg.text_at(
        text, across, middle, size=size, anchor=anchor, upright=not item.get("textangle"),
        font_size=None if size == _SIZE else svg.number(size), fill=font.get("color"),
        font_weight="bold" if font.get("weight") in ("bold", 700) else None,
    )  # fmt: skip


def _anchor(item: dict[str, Any], letter: str, names: tuple[str, str, str]) -> str:
    """Return which part of a text stands at its place, as plotly chooses it where nothing is said."""
    given = item.get(f"{letter}anchor", "auto")
    if given != "auto":
        return str(given)
    if item.get(f"{letter}ref", letter) in ("x", "y"):
        return names[1]
    share = float(item[letter])
    return names[0] if share < 1 / 3 else names[2] if share > 2 / 3 else names[1]


def _arrow(item: dict[str, Any], tail: list[float], head: list[float]) -> str:
    """Return a line with a filled head; without one where ``arrowhead`` is 0."""
    colour, width = item.get("arrowcolor", INK), item.get("arrowwidth", 1)
    d = svg.line(*tail, *head)
    found = svg.path(d, stroke=colour, stroke_width=None if width == 1 else width)
    if not item.get("arrowhead", 1):
        return found
    length = math.dist(tail, head) or 1.0
    along = [(there - here) / length for here, there in zip(tail, head, strict=True)]
    foot = [there - 8 * by for there, by in zip(head, along, strict=True)]
    wings = [(foot[0] - 4 * along[1], foot[1] + 4 * along[0]), (foot[0] + 4 * along[1], foot[1] - 4 * along[0])]
    corners = "L".join(f"{svg.number(across)} {svg.number(down)}" for across, down in (head, *wings))
    return found + svg.path(f"M{corners}z", fill=colour)


def _in_legend(traces: list[Trace], layout: dict[str, Any]) -> list[Trace]:
    shown = [trace for trace in traces if trace.get("showlegend", True) and trace.get("name")]
    is_asked = any(trace.get("showlegend") for trace in traces) or len(traces) > 1
    return shown if layout.get("showlegend", is_asked) else []


def _rows(traces: list[Trace], width: float) -> list[list[Trace]]:
    """Return the traces of each row of the legend, as many as fit beside each other."""
    rows: list[list[Trace]] = []
    room = 0.0
    for trace in traces:
        wide = _key_width(trace)
        if not rows or wide > room:
            rows.append([])
            room = width
        rows[-1].append(trace)
        room -= wide
    return rows


def _key_width(trace: Trace) -> float:
    return 30 + 6 + svg.width_of(in_one_line(trace["name"]), _SIZE) + 16


def _legend(traces: list[Trace], x: Axis, top: float) -> str:
    found = ""
    for index, row in enumerate(_rows(traces, abs(x.end - x.start))):
        left, middle = x.start, top + _ROW * (index + 0.5)
        for trace in row:
            name = in_one_line(trace["name"])
            found += draw_key(trace, left, middle) + svg.text_at(name, left + 36, middle, size=_SIZE, anchor="start")
            left += _key_width(trace)
    return found
