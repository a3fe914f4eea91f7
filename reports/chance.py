"""Where drawing lots anew, and not the interval of a model, decides what may be called clear."""

from __future__ import annotations

from typing import Final

from analysis.permutation_part import ENOUGH_CLUSTERS
from reports.language import say_many
from reports.numbers import format_count
from reports.reading import Row, Rows, pick

CHANCE: Final = 0.05


def say_left_to_chance() -> str:
    """Return why a difference is not called clear although its interval leaves out zero."""
    return say_many(
        "Fewer than {count} group was drawn for an arm, too few to judge by the interval how far groups differ. So "
        "drawing the lots anew decides, and drawing alone could have made a difference this large: chance remains a "
        "possible explanation.",
        "Fewer than {count} groups were drawn for an arm, too few to judge by the interval how far groups differ. So "
        "drawing the lots anew decides, and drawing alone could have made a difference this large: chance remains a "
        "possible explanation.",
        ENOUGH_CLUSTERS,
        count=format_count(ENOUGH_CLUSTERS),
    )


def is_left_to_chance(rows: Rows, estimand: str) -> bool:
    """Tell whether few groups leave it to the permutation test what is clear, and the test says that nothing is."""
    own = pick_test(rows, estimand)
    p, fewest = own.get("p_value"), own.get("fewest_units")
    if p is None or fewest is None or "groups drawn" not in p.method:
        return False
    if not (p.is_shown and fewest.is_shown):
        return True  # what decides may not be told, so nothing may be called clear
    return fewest.value < ENOUGH_CLUSTERS and p.value >= CHANCE


def pick_test(rows: Rows, estimand: str) -> dict[str, Row]:
    """Return the rows of the permutation test of an estimand, by what they hold."""
    return {row.statistic: row for row in pick(rows, analysis="permutation", estimand=estimand)}
