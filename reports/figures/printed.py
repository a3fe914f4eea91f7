"""Still drawings on paper, for scripts whose letters join: their texts stand over them as text of the page.

WeasyPrint sets text of a drawing letter by letter from the left, so that Arabic would be unreadable (see
``weasyprint.svg.text``); text of a page it shapes and orders as it should.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree import ElementTree

from reports.figures.static import WIDTH
from reports.figures.svg import LINE

_DRAWINGS: Final = re.compile(r'<div class="still"(?: style="--wide: ([0-9.]+)mm")?>(<svg .*?</svg>)', re.DOTALL)
_WIDE: Final = 125.0
"""Millimetres of a drawing on paper that brings no width of its own, as in report.css."""
_ROOM: Final = 400.0
"""Width of the box of a line; the line has its place within it by its anchor."""
_ASCENT: Final = 0.97
"""From the top of a line to its foot, in sizes of its type."""
_KEPT: Final = ("font-size", "font-weight", "fill", "stroke", "text-anchor", "transform")
_ALIGNED: Final = {"start": ("left", 0.0), "middle": ("center", 0.5), "end": ("right", 1.0)}


def lift_texts(page: str) -> str:
    """Return a page that runs from right to left with the texts of its drawings beside them; any other page as it is.

    Parameters
    ----------
    page : str
        HTML as `render_page` returns it.
    """
    return _DRAWINGS.sub(_lifted, page) if re.search(r'<html [^>]*dir="rtl"', page) else page


def _lifted(found: re.Match[str]) -> str:
    wide = float(found[1] or _WIDE)
    drawing = ElementTree.fromstring(found[2])  # noqa: S314 - made by static_svg, every text escaped
    lines = "".join(_lines(drawing, {}, wide / WIDTH))
    for parent in list(drawing.iter()):
        for text in parent.findall("text"):
            parent.remove(text)
    still = ElementTree.tostring(drawing, encoding="unicode")
    box = f"position: relative; width: {wide}mm; margin: 0 0 0 auto; line-height: {LINE}"
    return (
        f'<div class="still" style="direction: ltr; --wide: {wide}mm">'
        f'<div style="{box}; font-family: system-ui, sans-serif">{still}{lines}</div>'
    )


def _lines(element: ElementTree.Element, inherited: Mapping[str, str], unit: float) -> Iterator[str]:
    """Yield the lines of all texts within an element as boxes of the page; `unit` of the view box in millimetres."""
    looks = dict(inherited) | {name: element.attrib[name] for name in _KEPT if name in element.attrib}
    if element.tag != "text":
        for child in element:
            yield from _lines(child, looks, unit)
        return
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    yield _line(element.text or "", x, y, looks, unit)
    for part in element:
        y += float(part.attrib["dy"])
        yield _line(part.text or "", float(part.attrib["x"]), y, looks, unit)


def _line(text: str, x: float, y: float, looks: Mapping[str, str], unit: float) -> str:
    size = float(looks.get("font-size", 14))
    align, share = _ALIGNED[looks.get("text-anchor", "start")]
    left, top = x - share * _ROOM, y - _ASCENT * size
    style = {
        "position": "absolute",
        "left": _length(left, unit),
        "top": _length(top, unit),
        "width": _length(_ROOM, unit),
        "text-align": align,
        "white-space": "nowrap",
        "font-size": _length(size, unit),
        "color": looks.get("fill", "inherit"),
        "font-weight": looks.get("font-weight", "normal"),
    }
    if turned := re.fullmatch(r"rotate\((\S+) (\S+) (\S+)\)", looks.get("transform", "")):
        angle, *about = map(float, turned.groups())
        style["transform"] = f"rotate({angle}deg)"
        style["transform-origin"] = f"{_length(about[0] - left, unit)} {_length(about[1] - top, unit)}"
    behind = ' style="background: #fff"' if "stroke" in looks else ""
    css = "; ".join(f"{name}: {value}" for name, value in style.items())
    return f'<div style="{html.escape(css)}"><span{behind}>{html.escape(text)}</span></div>'


def _length(units: float, unit: float) -> str:
    return f"{units * unit:.2f}mm"
