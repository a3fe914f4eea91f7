"""The coordinates of figures: what they say of people, and whether they say more than is printed beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.attacker.files import Placed, plain
from benchmarks.attacker.fits import Share
from benchmarks.attacker.knowledge import What
from benchmarks.attacker.names import Names
from benchmarks.attacker.story import Story

_NUMBER: Final = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_OFF: Final = 0.00006
"""How far a coordinate of four decimals may be from the number it stands for."""

_BOX: Final = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h")
_KEY: Final = 15.0
"""Height up to which a box is a key of the legend, not a bar."""


def read_figure(figure: dict[str, Any], story: Story, names: Names) -> None:
    """Take in shares of people that lines and bars are drawn by, with every digit that they have."""
    for trace in figure.get("data", ()):
        for place, hover in enumerate(_list(trace.get("hovertext"))):
            text = plain(re.sub(r"<[^>]+>", " ", hover))
            arm, times = names.arm(text), names.times_in(text)
            height, length = _at(trace.get("y"), place), _at(trace.get("x"), place)
            if not (arm and times):
                continue
            if re.search(rf"{re.escape(times[0])}: (at least )?[\d.]+ %", text) and height is not None:
                part, whole = ("answered", arm, times[0], ""), ("allocated", arm, "", "")
                story.share(part, whole, (height - _OFF) / 100, 1.0 if "at least" in text else (height + _OFF) / 100)
            elif (told := re.search(r"(\d+) of 100 people, (.+?)( \(|$)", text)) and length is not None:
                is_fine = abs(length - round(length)) > 1e-6
                what = _people_of_bar(told[2], arm, times[0], names.measure(_title_of(figure)))
                if what is not None and is_fine:
                    whole = ("observed" if what[0].startswith("scored") else "both", *what[1:])
                    story.printed_share(what, whole, Share(length / 100, unit=1e-6))


def _people_of_bar(words: str, arm: str, time: str, measure: str) -> What | None:
    if not measure:
        return None
    if found := re.match(r"scores? (\d+)(?: to (\d+))?", words):
        return f"scored {found[1]}:{found[2] or found[1]}", arm, time, measure
    change = next((name for said, name in (("better", "improved"), ("worse", "worsened")) if said in words), "")
    return (f"meaningful {change}", arm, time, measure) if change else None


def _title_of(figure: dict[str, Any]) -> str:
    """Return the name under which a figure stands in the page."""
    return str(figure.get("id", ""))


def find_fine(figure: dict[str, Any], published: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield the coordinates of values that have digits which are published nowhere else.

    Parameters
    ----------
    figure : dict
        As plotly.js takes it.
    published : array
        Every number of the published results, and shares of them.
    """
    for trace in figure.get("data", ()):
        along = "x" if trace.get("orientation") == "h" or "error_x" in trace else "y"
        for place, hover in enumerate(_list(trace.get("hovertext"))):
            text, value = plain(re.sub(r"<[^>]+>", " ", hover)), _at(trace.get(along), place)
            printed = [float(each.replace(",", "")) for each in _NUMBER.findall(text)]
            if value is None or "not shown" in text.lower() or not printed:
                continue
            reaches = ((_at(trace.get(f"error_{along}", {}).get(part), place), sign)
                       for part, sign in (("array", 1), ("arrayminus", -1)))  # fmt: skip
            for end in (value, *(value + sign * reach for reach, sign in reaches if reach is not None)):
                known = np.concatenate([printed, published])
                if not (np.abs(known - end) <= _OFF * (2 + np.abs(known) / 100)).any():
                    yield text, end


def published_numbers(results: pd.DataFrame, meaningful: float) -> np.ndarray:
    """Return every number of results, in smallest differences that people notice, as percent, and shares of people."""
    numbers = results[["value", "conf_low", "conf_high"]].to_numpy("float64").ravel()
    told = numbers[np.isfinite(numbers)]
    told = np.concatenate([told, told / meaningful])
    people = results[["n", "at_least"]].to_numpy("float64").ravel()
    people = np.unique(people[np.isfinite(people) & (people > 0)])
    shares = 100 * people[:, None] / people
    return np.unique(np.concatenate([told, -told, 100 * told, shares.ravel(), 100 - shares.ravel()]))


def read_bars(drawing: list[Placed]) -> Iterator[float]:
    """Yield the lengths of the bars of a still drawing with an axis from 0 to 100, in people of 100."""
    ticks = [
        each for each in drawing if each.anchor == "middle" and re.fullmatch(r"0|25|50|75|100", each.words.strip())
    ]
    ends = {each.words.strip(): each for each in ticks if each.y == max(tick.y for tick in ticks)}
    if not {"0", "100"} <= set(ends):
        return
    scale = 100 / (ends["100"].x - ends["0"].x)
    boxes = [tuple(map(float, box)) for shape in drawing for box in _BOX.findall(shape.path)]
    for left, top, wide, high in boxes:
        is_label = any(x < left and left + wide < x + w and y < top and top + high < y + h for x, y, w, h in boxes)
        if high > _KEY and not is_label:
            yield wide * scale


def bars_of(figure: dict[str, Any]) -> list[float]:
    """Return the lengths of the lying bars of a figure."""
    own = [trace for trace in figure.get("data", ()) if trace.get("orientation") == "h"]
    return [float(value) for trace in own for value in trace["x"] if value is not None]


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value or ())


def _at(values: Any, place: int) -> float | None:
    found = values[place] if isinstance(values, list) and place < len(values) else None
    return float(found) if isinstance(found, int | float) else None
