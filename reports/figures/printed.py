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

_DRAWINGS: Final = re.compile(r'(?<=<div class="still">)<svg .*?</svg>', re.DOTALL)
_MILLIMETRES: Final = 150 / WIDTH
"""Of a unit of the view box: on paper a drawing is 150 mm wide."""
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
    drawing = ElementTree.fromstring(found[0])  # noqa: S314 - made by static_svg, every text escaped
    lines = "".join(_lines(drawing, {}))
    for parent in list(drawing.iter()):
        for text in parent.findall("text"):
            parent.remove(text)
    still = ElementTree.tostring(drawing, encoding="unicode")
    return (f'<div style="direction: ltr"><div style="position: relative; width: 150mm; margin: 0 auto; '
            f'line-height: {LINE}; font-family: system-ui, sans-serif">{still}{lines}</div></div>')  # fmt: skip


def _lines(element: ElementTree.Element, inherited: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of all texts within an element as boxes of the page."""
    looks = dict(inherited) | {name: element.attrib[name] for name in _KEPT if name in element.attrib}
    if element.tag != "text":
        for child in element:
            yield from _lines(child, looks)
        return
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    yield _line(element.text or "", x, y, looks)
    for part in element:
        y += float(part.attrib["dy"])
        yield _line(part.text or "", float(part.attrib["x"]), y, looks)


def _line(text: str, x: float, y: float, looks: Mapping[str, str]) -> str:
    size = float(looks.get("font-size", 14))
    align, share = _ALIGNED[looks.get("text-anchor", "start")]
    left, top = x - share * _ROOM, y - _ASCENT * size
    style = {
        "position": "absolute", "left": _length(left), "top": _length(top), "width": _length(_ROOM),
        "text-align": align, "white-space": "nowrap", "font-size": _length(size), "color": looks.get("fill", "inherit"),
        "font-weight": looks.get("font-weight", "normal"),
    }  # fmt: skip
    if turned := re.fullmatch(r"rotate\((\S+) (\S+) (\S+)\)", looks.get("transform", "")):
        angle, *about = map(float, turned.groups())
        style["transform"] = f"rotate({angle}deg)"
        style["transform-origin"] = f"{_length(about[0] - left)} {_length(about[1] - top)}"
    behind = ' style="background: #fff"' if "stroke" in looks else ""
    css = "; ".join(f"{name}: {value}" for name, value in style.items())
    return f'<div style="{html.escape(css)}"><span{behind}>{html.escape(text)}</span></div>'


def _length(units: float) -> str:
    return f"{units * _MILLIMETRES:.2f}mm"
