"""How numbers are printed: one place, by the language in force, rounded only here."""

from __future__ import annotations

import math
from typing import Final

from analysis.design import Measure
from reports.language import language_spoken, mark, print_number, say

MINUS: Final = "\u2212"
NO_BREAK: Final = "\u00a0"
NOT_SHOWN: Final = mark("not shown")
"""What stands for a number that the disclosure gate took out: `say` it."""
NOTHING: Final = "\u2013"
SMALLEST_P: Final = 0.001
FINE_RANGE: Final = 10.0
"""Points; a measure with a narrower range is printed with two decimals, others with one."""


def unit_of(measure: Measure, value: float = 2.0) -> str:
    """Return the unit of a difference of `value` after a space; nothing for counts and categories, which have none."""
    unit = {"points": " point", "percent": " percentage point"}.get(measure.unit, "")
    return unit if value == 1 or not unit else f"{unit}s"


def scale_of(measure: Measure) -> str:
    """Return the unit of the values of a measure themselves."""
    return {
        "points": say("points"),
        "percent": say("percent of people"),
        "count": say("mean count"),
        "category": say("mean category"),
    }[measure.unit]


def decimals_of(measure: Measure) -> int:
    """Return how many decimals scores of a measure are printed with."""
    return 2 if measure.maximum - measure.minimum < FINE_RANGE else 1


def format_number(value: float, decimals: int = 1) -> str:
    """Return ``−2.4``; a missing number (NaN) is an en dash, and what rounds to zero has no sign."""
    if math.isnan(value):
        return NOTHING
    text = print_number(value, decimals)
    return f"{MINUS}{text}" if value < 0 and any(digit in "123456789" for digit in text) else text


def format_interval(low: float, high: float, decimals: int = 1) -> str:
    """Return ``−4.2 to −0.6``; an en dash where an end is missing.

    An interval that leaves out zero keeps enough decimals to show that it does.
    """
    if math.isnan(low) or math.isnan(high):
        return NOTHING
    decimals = decimals_to_print(low, high, decimals)
    return say("{low} to {high}", low=format_number(low, decimals), high=format_number(high, decimals))


def decimals_to_show(low: float, high: float, decimals: int, *, most: int = 3) -> int:
    """Return the decimals at which an interval without zero is seen to be one."""
    excludes = low > 0 or high < 0
    while excludes and decimals < most and round(min(abs(low), abs(high)), decimals) == 0:
        decimals += 1
    return decimals


def decimals_to_print(low: float, high: float, decimals: int) -> int:
    """Return `decimals_to_show`, none where the disclosure gate left whole numbers: a decimal would promise more."""
    is_coarse = float(low).is_integer() and float(high).is_integer()
    return 0 if is_coarse else decimals_to_show(low, high, decimals)


def format_p(p: float) -> str:
    """Return ``0.034``, ``< 0.001`` or, for a missing p-value, an en dash."""
    if math.isnan(p):
        return NOTHING
    return f"<{NO_BREAK}{print_number(SMALLEST_P, 3)}" if p < SMALLEST_P else print_number(p, 3)


def format_count(count: float) -> str:
    """Return ``1,468``; an en dash for a missing count."""
    return NOTHING if math.isnan(count) else print_number(round(count), 0)


def format_share(part: float, whole: float, *, at_least: bool = False) -> str:
    """Return ``84 %``, rounded, but 100 % for everybody alone and 0 % for nobody alone; `at_least` rounds down."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    shown = math.floor(percent) if at_least else min(max(round(percent), 1), 99) if 0 < part < whole else round(percent)
    return f"{shown}{NO_BREAK}%"


def say_portion(count: int, whole: int) -> str:
    """Return a share of rows in words that tell no count: ``Fewer than one in twenty``."""
    share = count / whole if whole else 0.0
    if share <= 0:
        return say("None")
    if share <= 0.05:
        return say("Fewer than one in twenty")
    return say("Fewer than one in four") if share <= 0.25 else say("One in four or more")


def format_threshold(value: float) -> str:
    """Return a declared number as it was declared: ``2``, ``2.5``."""
    return f"{value:g}".replace("-", MINUS).replace(".", language_spoken().decimal_point)
