"""How numbers are printed: one place, by the language in force, rounded only here."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

from analysis.design import Measure
from reports.language import language_spoken, mark, print_number, say, say_as, say_many

MINUS: Final = "\u2212"
NO_BREAK: Final = "\u00a0"
NOT_SHOWN: Final = mark("not shown")
"""What stands for a number that the disclosure gate took out: `say` it."""
NOTHING: Final = "\u2013"
SMALLEST_P: Final = 0.001
MOST_DECIMALS: Final = 3
FINE_RANGE: Final = 10.0
"""Points; a measure with a narrower range is printed with two decimals, others with one."""


def say_amount(value: float, measure: Measure, decimals: int | None = None) -> str:
    """Return a size without its sign in the unit of a measure: ``2.4 points``; counts and categories have no unit.

    Parameters
    ----------
    value : float
        Difference, change or threshold.
    measure : Measure
        Its unit is said.
    decimals : int, optional
        To round to; without it the number is printed as it was declared.
    """
    number, printed = _print_size(value, decimals)
    if measure.unit == "points":
        return say_many("{number} point", "{number} points", printed, number=number)
    if measure.unit == "percent":
        return say_many("{number} percentage point", "{number} percentage points", printed, number=number)
    return number


def say_difference(value: float, measure: Measure, decimals: int | None = None) -> str:
    """Return a difference with its direction: ``2.4 points lower``; parameters as of `say_amount`."""
    number, printed = _print_size(value, decimals)
    if measure.unit == "points":
        if value < 0:
            return say_many("{number} point lower", "{number} points lower", printed, number=number)
        return say_many("{number} point higher", "{number} points higher", printed, number=number)
    if measure.unit == "percent":
        if value < 0:
            return say_many(
                "{number} percentage point lower", "{number} percentage points lower", printed, number=number
            )
        return say_many("{number} percentage point higher", "{number} percentage points higher", printed, number=number)
    return say("{number} lower", number=number) if value < 0 else say("{number} higher", number=number)


def say_range(low: float, high: float, measure: Measure, decimals: int) -> str:
    """Return both ends of an interval of differences: ``0.6 to 4.2 points lower``, the end nearer to zero first.

    Where zero is inside, each end has its own direction: ``from 1.2 points lower to 0.4 points higher``. Ends are
    rounded outwards.
    """
    is_across = (low < 0) != (high < 0)
    low, high = round_outwards(low, high, decimals)
    if is_across:
        return say(
            "from {lower} to {higher}",
            lower=say_difference(low, measure, decimals),
            higher=say_difference(high, measure, decimals),
        )
    near, far = sorted((low, high), key=abs)
    (nearer, _), (further, printed) = _print_size(near, decimals), _print_size(far, decimals)
    ends = {"near": nearer, "far": further}
    if measure.unit == "points":
        if far < 0:
            return say_many("{near} to {far} points lower", "{near} to {far} points lower", printed, **ends)
        return say_many("{near} to {far} points higher", "{near} to {far} points higher", printed, **ends)
    if measure.unit == "percent":
        if far < 0:
            return say_many(
                "{near} to {far} percentage points lower", "{near} to {far} percentage points lower", printed, **ends
            )
        return say_many(
            "{near} to {far} percentage points higher", "{near} to {far} percentage points higher", printed, **ends
        )
    return say("{near} to {far} lower", **ends) if far < 0 else say("{near} to {far} higher", **ends)


def is_nothing(value: float, decimals: int) -> bool:
    """Tell whether a number is printed as zero."""
    return not any(digit in "123456789" for digit in print_number(value, decimals))


def _print_size(value: float, decimals: int | None) -> tuple[str, Decimal]:
    """Return a size as it is printed, and with the same decimals as a number, which plural forms depend on."""
    if decimals is None:
        return format_threshold(abs(value)), Decimal(f"{abs(value):g}")
    return format_number(abs(value), decimals), Decimal(f"{abs(value):.{decimals}f}")


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

    An interval that leaves out zero keeps enough decimals to show that it does; ends are rounded outwards.
    """
    if math.isnan(low) or math.isnan(high):
        return NOTHING
    decimals = decimals_to_print(low, high, decimals)
    low, high = round_outwards(low, high, decimals)
    return say("{low} to {high}", low=format_number(low, decimals), high=format_number(high, decimals))


def round_outwards(low: float, high: float, decimals: int) -> tuple[float, float]:
    """Return the ends of an interval with so many decimals, so that it is never told narrower than it is."""
    scale = 10.0**decimals
    # What is stored as a multiple is a hair off it: that hair is not rounded outwards.
    return math.floor(round(low * scale, 6)) / scale, math.ceil(round(high * scale, 6)) / scale


def decimals_to_show(low: float, high: float, decimals: int, *, most: int = MOST_DECIMALS) -> int:
    """Return the decimals at which an interval without zero is seen to be one, its ends rounded to the nearest."""
    excludes = low > 0 or high < 0
    while excludes and decimals < most and round(min(abs(low), abs(high)), decimals) == 0:
        decimals += 1
    return decimals


def decimals_to_print(low: float, high: float, decimals: int, value: float = 0.0) -> int:
    """Return the decimals at which an interval without zero is seen to be one, its ends rounded outwards.

    None where the disclosure gate left whole numbers: a decimal would promise more. Ends may be whole by chance; a
    `value` between them that is not shows that decimals were left.
    """
    if all(float(number).is_integer() for number in (low, high, value)):
        return 0
    decimals, nearer = decimals_to_show(low, high, decimals), min(abs(low), abs(high))
    touches = (low > 0 or high < 0) and round_outwards(nearer, nearer, decimals)[0] == 0
    return min(decimals + 1, MOST_DECIMALS) if touches else decimals


def format_p(p: float) -> str:
    """Return ``0.034``, ``< 0.001`` or, for a missing p-value, an en dash.

    Three decimals, two where the third is nothing: a p-value of which the gate left two digits has no third one.
    """
    if math.isnan(p):
        return NOTHING
    decimals = 2 if round(p, 2) == p else 3
    return f"<{NO_BREAK}{print_number(SMALLEST_P, 3)}" if p < SMALLEST_P else print_number(p, decimals)


def format_count(count: float) -> str:
    """Return ``1,468``; an en dash for a missing count."""
    return NOTHING if math.isnan(count) else print_number(round(count), 0)


def format_share(part: float, whole: float, *, at_least: bool = False) -> str:
    """Return ``84 %``, rounded, but 100 % for everybody alone and 0 % for nobody alone; `at_least` rounds down."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    shown = math.floor(percent) if at_least else min(max(round(percent), 1), 99) if 0 < part < whole else round(percent)
    return format_percent(shown)


def format_percent(percent: float, decimals: int = 0) -> str:
    """Return ``84 %``."""
    return say("{number}\u00a0%", number=format_number(percent, decimals))


def say_portion(count: int, whole: int) -> str:
    """Return a share of rows in words that tell no count: ``fewer than one in twenty``."""
    share = count / whole if whole else 0.0
    if share <= 0:
        return say_as("rows", "none")
    if share <= 0.05:
        return say_as("rows", "fewer than one in twenty")
    return say_as("rows", "fewer than one in four") if share <= 0.25 else say_as("rows", "one in four or more")


def format_threshold(value: float) -> str:
    """Return a declared number as it was declared: ``2``, ``2.5``."""
    return f"{value:g}".replace("-", MINUS).replace(".", language_spoken().decimal_point)
