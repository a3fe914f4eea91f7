"""What makes one less sure of a score, in sentences with their numbers; see `reports.reasons`."""

from __future__ import annotations

from analysis.certainty_measurement import LEAST_AGREEMENT, LOWEST_RELIABILITY, SCALAR
from reports.language import say
from reports.numbers import format_count, format_number, format_threshold
from reports.reasons import Case, percent


def say_unreliable(case: Case) -> str:
    """Return how much the questions agreed with each other."""
    alpha = case.find_measured("cronbach_alpha")
    if alpha is None or round(alpha.value, 2) >= LOWEST_RELIABILITY:
        return ""
    return say(
        "The questions agreed little with each other at {timepoint}: their agreement (alpha, 1 at best) was {alpha}, "
        "below {limit}, so scores are blurred.",
        timepoint=case.at,
        alpha=format_number(alpha.value, 2),
        limit=format_threshold(LOWEST_RELIABILITY),
    )


def say_not_invariant(case: Case) -> str:
    """Return how far the questions meant the same at two timepoints."""
    level = case.find_measured("invariance_level")
    if level is None:
        return ""
    said = {
        "baseline": case.content.design.baseline.label,
        "timepoint": case.at,
        "reached": format_count(level.value),
        "steps": format_count(SCALAR),
    }
    if case.is_change:
        return say(
            "The questions did not mean quite the same at {baseline} and at {timepoint} ({reached} of {steps} steps of "
            "sameness were reached), so part of the change may be the questions.",
            **said,
        )
    return say(
        "The questions did not mean quite the same at {baseline} and at {timepoint} ({reached} of {steps} steps of "
        "sameness were reached), so part of the difference may be the questions.",
        **said,
    )


def say_audit(case: Case) -> str:
    """Return the share of delivered totals that are those computed from the answers."""
    compared, equal = case.find_measured("compared"), case.find_measured("equal")
    if compared is None or equal is None or round(equal.value / compared.value, 2) >= LEAST_AGREEMENT:
        return ""
    return say(
        "Only {share} of the totals that came with the data are those that we compute from the answers (fewer "
        "than {limit}), and which are right is open.",
        share=percent(equal.value / compared.value),
        limit=percent(LEAST_AGREEMENT),
    )
