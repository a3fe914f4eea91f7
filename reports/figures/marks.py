"""Points, lines, intervals and bars of a static chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reports.figures import svg
from reports.figures.axes import Axis
from reports.theme import INK

Trace = Mapping[str, Any]
Span = tuple[float, float, float, float]
"""Corners of a bar: x1, y1, x2, y2; NaN where there is none."""
BAR_GAP: Final = 0.2
_SHADE_OF_PATTERN: Final = 1.6


def draw_scatter(trace: Trace, x: Axis, y: Axis) -> str:
    """Return lines, intervals, markers and texts of a scatter trace; a point with a missing value breaks the line."""
    points = [None if across is None or up is None else (x.at(across), y.at(up))
              for across, up in zip(trace["x"], trace["y"], strict=True)]  # fmt: skip
    mode = trace.get("mode", "lines+markers")
    found = _line(trace, points) if "lines" in mode else ""
    for letter in ("x", "y"):
        found += _intervals(trace, letter, x, y, points)
    found += _markers(trace, points) if "markers" in mode else ""
    return found + (_texts(trace, points) if "text" in mode else "")


def draw_bars(trace: Trace, spans: list[Span]) -> str:
    """Return the bars of a trace, given their corners, and their texts."""
    drawn = [span for span in spans if span[0] == span[0]]
    found = ""
    for colour, those in _by_colour(trace, spans):
        outline = trace.get("marker", {}).get("line", {})
        pattern = trace.get("marker", {}).get("pattern", {}).get("shape", "")
        d = "".join(svg.box(*span) for span in those)
        found += svg.path(d, fill=_background(trace) if pattern else colour, stroke=outline.get("color") or
                          (colour if pattern else None), stroke_width=_width(outline.get("width", 1)))  # fmt: skip
        if pattern:
            hatches = "".join(svg.hatching(pattern, *span) for span in those)
            found += svg.path(hatches, stroke=_foreground(trace, colour), stroke_width=_SHADE_OF_PATTERN)
    return found + (_texts_of_bars(trace, spans) if drawn and trace.get("textposition") != "none" else "")


def draw_key(trace: Trace, x: float, y: float) -> str:
    """Return the symbol of a trace in the legend: 30 wide, from `x` on, its middle at `y`."""
    if trace["type"] == "bar":
        return draw_bars({**trace, "text": None}, [(x + 4, y - 6, x + 26, y + 6)])
    mode = trace.get("mode", "lines+markers")
    found = _line(trace, [(x, y), (x + 30, y)]) if "lines" in mode else ""
    return found + (_markers(_first(trace), [(x + 15, y)]) if "markers" in mode else "")


def _first(trace: Trace) -> Trace:
    """Return a trace whose markers all look like its first one."""
    marker = {name: value[0] if isinstance(value, list | tuple) else value for name, value in
              trace.get("marker", {}).items()}  # fmt: skip
    return {**trace, "marker": marker}


def _line(trace: Trace, points: list[tuple[float, float] | None]) -> str:
    looks, d, is_drawing = trace.get("line", {}), "", False
    for point in points:
        if point is not None:
            d += f"{'L' if is_drawing else 'M'}{svg.number(point[0])} {svg.number(point[1])}"
        is_drawing = point is not None or (is_drawing and bool(trace.get("connectgaps")))
    area = trace.get("fill") == "toself"
    return svg.path(d, fill=trace.get("fillcolor") if area else "none", stroke=looks.get("color", INK) if
                    looks.get("width", 2) else None, stroke_width=_width(looks.get("width", 2)),
                    stroke_dasharray=svg.DASHES[looks.get("dash", "solid")])  # fmt: skip


def _intervals(trace: Trace, letter: str, x: Axis, y: Axis, points: list[tuple[float, float] | None]) -> str:
    error = trace.get(f"error_{letter}", {})
    if not error or not error.get("visible", True):
        return ""
    axis, cap, d = (x if letter == "x" else y), float(error.get("width", 5)), ""
    above = error["array"]
    below = above if error.get("symmetric", "arrayminus" not in error) else error["arrayminus"]
    for value, point, more, less in zip(trace[letter], points, above, below, strict=True):
        if point is None:
            continue
        for end in [axis.at(axis.value_of(value) + by) for by in (-less if less else less, more) if by is not None]:
            if letter == "x":
                d += svg.line(point[0], point[1], end, point[1]) + _cap(end, point[1], cap, is_upright=True)
            else:
                d += svg.line(point[0], point[1], point[0], end) + _cap(point[0], end, cap, is_upright=False)
    return svg.path(
        d,
        stroke=error.get("color") or _of(trace.get("marker", {}).get("color", INK), 0),
        stroke_width=_width(error.get("thickness", 2)),
    )


def _cap(x: float, y: float, length: float, *, is_upright: bool) -> str:
    if not length:
        return ""
    return svg.line(x, y - length, x, y + length) if is_upright else svg.line(x - length, y, x + length, y)


def _markers(trace: Trace, points: list[tuple[float, float] | None]) -> str:
    """Return markers, those that look alike in one path."""
    marker = trace.get("marker", {})
    outline = marker.get("line", {})
    looks: dict[tuple[Any, ...], str] = {}
    for index, point in enumerate(points):
        if point is None:
            continue
        name, size = _of(marker.get("symbol", "circle"), index), float(_of(marker.get("size", 6), index))
        colour = _of(marker.get("color", INK), index)
        is_open = str(name).endswith("-open")
        edge = colour if is_open else _of(outline.get("color"), index)
        width = _of(outline.get("width", 1 if is_open else 0), index)
        look = ("#fff" if is_open else colour, edge if width else None, width)
        looks[look] = looks.get(look, "") + svg.symbol(str(name), *point, size)
    return "".join(svg.path(d, fill=fill, stroke=edge, stroke_width=_width(width)) for (fill, edge, width), d in
                   looks.items())  # fmt: skip


def _texts(trace: Trace, points: list[tuple[float, float] | None]) -> str:
    font, found = trace.get("textfont", {}), ""
    size = float(font.get("size", 14))
    for index, point in enumerate(points):
        text = _of(trace.get("text"), index)
        if point is None or not text:
            continue
        upright, _, across = str(_of(trace.get("textposition", "middle center"), index)).partition(" ")
        anchor = {"left": "end", "right": "start"}.get(across, "middle")
        room = size * svg.LINE * (len(svg.lines_of(text)) - 1) / 2 + (size + 4 if upright != "middle" else 0)
        y = point[1] + {"top": -room, "bottom": room}.get(upright, 0.0)
        x = point[0] + {"left": -9, "right": 9}.get(across, 0)
        found += svg.text_at(text, x, y, size=size, anchor=anchor)
    return _in_font(found, font)


def _texts_of_bars(trace: Trace, spans: list[Span]) -> str:
    font, found = trace.get("textfont", {}), ""
    size, is_flat = float(font.get("size", 14)), trace.get("orientation") == "h"
    is_outside = trace.get("textposition", "auto") == "outside"
    for index, (x1, y1, x2, y2) in enumerate(spans):
        text = _of(trace.get("text"), index)
        if x1 != x1 or not text:
            continue
        middle, level = (x1 + x2) / 2, (y1 + y2) / 2
        if is_outside and is_flat:
            found += svg.text_at(
                text, x2 + 5 if x2 >= x1 else x2 - 5, level, size=size, anchor="start" if x2 >= x1 else "end"
            )
        elif is_outside:
            away = svg.height_of(text, size) / 2 + 2
            found += svg.text_at(text, middle, y2 - away if y2 <= y1 else y2 + away, size=size)
        else:
            looks, written = _on_bar(trace, index), svg.text_at(text, middle, level, size=size)
            found += f"<g{looks}>{written}</g>" if looks else written
    return _in_font(found, font)


def _on_bar(trace: Trace, index: int) -> str:
    """Return attributes of text that stands on a bar, so that it can be read: a white edge where the bar is hatched."""
    marker = trace.get("marker", {})
    if marker.get("pattern", {}).get("shape"):
        return svg.attributes(stroke="#fff", stroke_width=4, paint_order="stroke")
    given = trace.get("textfont", {}).get("color")
    return svg.attributes(fill="#fff") if not given and _is_dark(_of(marker.get("color", INK), index)) else ""


def _is_dark(colour: str) -> bool:
    """Tell whether white is easier to read on a colour than ink; colours are six digits after a hash."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140


def _in_font(found: str, font: Mapping[str, Any]) -> str:
    size = font.get("size", 14)
    looks = svg.attributes(font_size=None if size == 14 else float(size), fill=font.get("color"))
    return f"<g{looks}>{found}</g>" if looks and found else found


def _by_colour(trace: Trace, spans: list[Span]) -> Iterator[tuple[str, list[Span]]]:
    """Yield each colour of the bars with the bars that have it."""
    colours = [_of(trace.get("marker", {}).get("color", INK), index) for index in range(len(spans))]
    for colour in dict.fromkeys(colours):
        yield colour, [span for span, own in zip(spans, colours, strict=True) if own == colour and span[0] == span[0]]


def _background(trace: Trace) -> str:
    marker = trace.get("marker", {})
    pattern = marker["pattern"]
    is_over = pattern.get("fillmode") == "overlay"
    return str(pattern.get("bgcolor") or (_of(marker.get("color", INK), 0) if is_over else "#ffffff"))


def _foreground(trace: Trace, colour: str) -> str:
    pattern = trace["marker"]["pattern"]
    return str(pattern.get("fgcolor") or ("#ffffff" if pattern.get("fillmode") == "overlay" else colour))


def _of(value: Any, index: int) -> Any:
    """Return the value for one point, of one for each or of one for all."""
    return value[index] if isinstance(value, list | tuple) else value


def _width(width: float) -> float | None:
    return None if width == 1 else float(width)
