"""Axes of a static chart: from values to places, with ticks, grid and title."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.figures import svg
from reports.numbers import MINUS
from reports.theme import INK

TICK: Final = 5.0
GAP: Final = 4.0
_ROOM: Final = 0.05
"""Share of the range that is left free beside the outermost points."""
_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of a chart.

    Attributes
    ----------
    letter : {"x", "y"}
        Direction.
    spec : mapping
        As plotly has it.
    categories : tuple of str
        In order, along the axis; empty for numbers.
    low, high : float
        Values at its two ends: left and right, bottom and top; `low` above `high` on a reversed axis.
    start, end : float
        Where these ends are, in units of the view box.
    separators : str
        Decimal point and what stands between thousands.
    """

    letter: str
    spec: Mapping[str, Any]
    categories: tuple[str, ...]
    low: float
    high: float
    start: float = 0.0
    end: float = 1.0
    separators: str = ".,"

    def value_of(self, value: Any) -> float:
        """Return a number, or the position of a category."""
        return float(self.categories.index(value)) if isinstance(value, str) else float(value)

    def at(self, value: Any) -> float:
        """Return where a value is, in units of the view box."""
        share = (self.value_of(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def is_visible(self) -> bool:
        """Whether line, ticks, labels and title are drawn."""
        return bool(self.spec.get("visible", True))

    @property
    def size(self) -> float:
        """Size of the type of its labels."""
        return float(self.spec.get("tickfont", {}).get("size", 14))

    @property
    def title(self) -> str:
        """Its title as plotly has it."""
        title = self.spec.get("title", {})
        return str(title.get("text", "")) if self.is_visible else ""

    @property
    def title_size(self) -> float:
        """Size of the type of its title."""
        return float(self.spec.get("title", {}).get("font", {}).get("size", 15))

    def ticks(self) -> list[tuple[float, str]]:
        """Return value and text of each tick within the range."""
        spec = self.spec
        if not self.is_visible:
            return []
        if "tickvals" in spec:
            values = [self.value_of(value) for value in spec["tickvals"]]
            texts = spec.get("ticktext") or [self._printed(value) for value in values]
        elif self.categories:
            values, texts = [float(index) for index in range(len(self.categories))], list(self.categories)
        else:
            values = self._stepped()
            texts = [self._printed(value) for value in values]
        low, high = sorted((self.low, self.high))
        room = (high - low) * 1e-9
        if not spec.get("showticklabels", True):
            texts = [""] * len(values)
        return [(value, text) for value, text in zip(values, texts, strict=True) if low - room <= value <= high + room]

    def _stepped(self) -> list[float]:
        low, high = sorted((self.low, self.high))
        step = float(self.spec.get("dtick") or _nice_step(high - low, self.spec.get("nticks") or 7))
        first = float(self.spec.get("tick0", 0.0))
        start = math.ceil((low - first) / step - 1e-9)
        return [first + step * index for index in range(start, math.floor((high - first) / step + 1e-9) + 1)]

    def _printed(self, value: float) -> str:
        style = self.spec.get("tickformat", "")
        text = format(value, style) if style else f"{round(value, 10):g}"
        marks = {"-": MINUS, ".": self.separators[:1], ",": self.separators[1:]}
        text = "".join(marks.get(character, character) for character in text)
        return f"{self.spec.get('tickprefix', '')}{text}{self.spec.get('ticksuffix', '')}"


def open_axis(letter: str, spec: Mapping[str, Any], values: list[Any], *, bars: bool, separators: str) -> Axis:
    """Return an axis with its range, before it has a place.

    Parameters
    ----------
    letter : {"x", "y"}
        Direction.
    spec : mapping
        As plotly has it.
    values : list
        Everything that is drawn along it, ends of intervals too; None where nothing is.
    bars : bool
        Lengths of bars are told along it: it begins at zero unless it has a range of its own.
    separators : str
        Decimal point and what stands between thousands.
    """
    is_named = spec.get("type") == "category" or any(isinstance(value, str) for value in values)
    named = [*spec.get("categoryarray", ()), *(value for value in values if isinstance(value, str))]
    categories = tuple(dict.fromkeys(named)) if is_named else ()
    whole = Axis(letter=letter, spec=spec, categories=categories, low=0.0, high=1.0, separators=separators)
    low, high = spec.get("range") or _extent([whole.value_of(value) for value in values if value is not None], bars,
                                             bool(categories))  # fmt: skip
    if spec.get("autorange") == "reversed":
        low, high = high, low
    return Axis(letter=letter, spec=spec, categories=categories, low=float(low), high=float(high),
                separators=separators)  # fmt: skip


def _extent(values: list[float], bars: bool, is_named: bool) -> tuple[float, float]:
    if is_named:
        return -0.5, (max(values) if values else 0.0) + 0.5
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = (high - low) * _ROOM or 1.0
    if bars:
        low, high = min(low, 0.0), max(high, 0.0)
        return low - (room if low < 0 else 0.0), high + (room if high > 0 else 0.0)
    return low - room, high + room


def _nice_step(span: float, most: int) -> float:
    rough = span / most
    unit = 10.0 ** math.floor(math.log10(rough))
    return next(nice * unit for nice in _NICE if nice * unit >= rough * (1 - 1e-9))


def room_of(axis: Axis) -> float:
    """Return how much room ticks, labels and title of an axis need beside the chart."""
    ticks = axis.ticks()
    measure = svg.height_of if axis.letter == "x" else svg.width_of
    labels = max((measure(text, axis.size) for _, text in ticks), default=0.0)
    title = svg.height_of(axis.title, axis.title_size)
    marks = TICK if axis.spec.get("ticks") == "outside" and ticks else 0.0
    return marks + (labels + GAP if labels else 0.0) + (title + 2 * GAP if title else 0.0)


def draw_grid(axis: Axis, across: Axis) -> str:
    """Return the grid lines of an axis and its line at zero, over the length of the other one."""
    if not axis.is_visible:
        return ""
    spec, found = axis.spec, ""
    if spec.get("showgrid", True):
        d = "".join(_rule(axis, across, value) for value, _ in axis.ticks())
        found = svg.path(d, stroke=spec.get("gridcolor", "#eeeeee"), stroke_dasharray=_dash(spec.get("griddash")))
    low, high = sorted((axis.low, axis.high))
    if spec.get("zeroline", True) and low <= 0 <= high:
        found += svg.path(_rule(axis, across, 0.0), stroke=spec.get("zerolinecolor", INK),
                          stroke_width=_other_than_1(spec.get("zerolinewidth", 1)))  # fmt: skip
    return found


def draw_axis(axis: Axis, across: Axis) -> str:
    """Return line, ticks, labels and title of an axis at the lower or left side of the chart."""
    if not axis.is_visible:
        return ""
    side = across.start
    is_x, ticks = axis.letter == "x", axis.ticks()
    marks = TICK if axis.spec.get("ticks") == "outside" else 0.0
    d = ""
    if axis.spec.get("showline", "linecolor" in axis.spec):
        d += svg.line(axis.start, side, axis.end, side) if is_x else svg.line(side, axis.start, side, axis.end)
    for value, _ in ticks if marks else ():
        at = axis.at(value)
        d += svg.line(at, side, at, side + marks) if is_x else svg.line(side - marks, at, side, at)
    labels, room = _labels(axis, side, marks + GAP), room_of(axis)
    title_height = svg.height_of(axis.title, axis.title_size)
    middle = (axis.start + axis.end) / 2
    away = room - title_height / 2
    title = svg.text_at(axis.title, middle if is_x else side - away, side + away if is_x else middle,
                        size=axis.title_size, upright=is_x, font_size=svg.number(axis.title_size))  # fmt: skip
    return svg.path(d, stroke=axis.spec.get("linecolor", INK)) + labels + title


def _labels(axis: Axis, side: float, away: float) -> str:
    found = ""
    for value, text in axis.ticks():
        at = axis.at(value)
        if axis.letter == "x":
            middle = side + away + svg.height_of(text, axis.size) / 2
            found += svg.text_at(text, at, middle, size=axis.size)
        else:
            found += svg.text_at(text, side - away, at, size=axis.size, anchor="end")
    colour = axis.spec.get("tickfont", {}).get("color")
    size = None if axis.size == 14 else svg.number(axis.size)
    return f"<g{svg.attributes(font_size=size, fill=colour)}>{found}</g>" if size or colour else found


def _rule(axis: Axis, across: Axis, value: float) -> str:
    at = axis.at(value)
    return (svg.line(at, across.start, at, across.end) if axis.letter == "x" else
            svg.line(across.start, at, across.end, at))  # fmt: skip


def _dash(name: str | None) -> str | None:
    return svg.DASHES[name] if name else None


def _other_than_1(width: float) -> float | None:
    return None if width == 1 else float(width)
