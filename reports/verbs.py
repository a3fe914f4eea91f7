"""The verb table: the strongest that each design may say, weakened by certainty. Nothing else says a causal verb.

| design | high | moderate | low | very low |
|---|---|---|---|---|
| randomised, waitlist | A reduces M | A probably reduces M | A may reduce M | very uncertain whether A reduces M |
| stepped_wedge | the programme reduces M | ... probably reduces M | ... may reduce M | very uncertain whether ... |
| matched_comparison, comparison | being in A was associated with ... | the same | the same | the same |
| single_group | people scored ... at T than at baseline | the same | the same | the same |
| interrupted_time_series | people surveyed at T scored ... than the trend before | the same | the same | the same |
| repeated_cross_section | people surveyed at T scored ... than people at first | the same | the same | the same |

The wording is that of GRADE (Santesso et al. 2020, doi 10.1016/j.jclinepi.2019.10.014). It takes a clear result;
without one every design says "No clear difference", or change, or departure, at any certainty. Where the whole interval
is short of what people notice, that is what the certainty is about, and `reports.claim_sentences` lets "by less than
people notice" follow the verb.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analysis.design import DesignKind
from reports.language import mark, say


@dataclass(frozen=True, slots=True)
class Verb:
    """What a clear result is told as: messages for scores that are lower, and that are higher."""

    lower: str
    higher: str


_OF_AN_ARM: Final[Mapping[int, Verb]] = {
    4: Verb(mark("{arm} reduces {measure}"), mark("{arm} increases {measure}")),
    3: Verb(mark("{arm} probably reduces {measure}"), mark("{arm} probably increases {measure}")),
    2: Verb(mark("{arm} may reduce {measure}"), mark("{arm} may increase {measure}")),
    1: Verb(
        mark("It is very uncertain whether {arm} reduces {measure}"),
        mark("It is very uncertain whether {arm} increases {measure}"),
    ),
}
_OF_THE_PROGRAMME: Final[Mapping[int, Verb]] = {
    4: Verb(mark("The programme reduces {measure}"), mark("The programme increases {measure}")),
    3: Verb(mark("The programme probably reduces {measure}"), mark("The programme probably increases {measure}")),
    2: Verb(mark("The programme may reduce {measure}"), mark("The programme may increase {measure}")),
    1: Verb(
        mark("It is very uncertain whether the programme reduces {measure}"),
        mark("It is very uncertain whether the programme increases {measure}"),
    ),
}

VERBS: Final[Mapping[DesignKind, Mapping[int, Verb] | None]] = {
    "randomised": _OF_AN_ARM,
    "waitlist": _OF_AN_ARM,
    "stepped_wedge": _OF_THE_PROGRAMME,
    "matched_comparison": None,
    "comparison": None,
    "single_group": None,
    "interrupted_time_series": None,
    "repeated_cross_section": None,
}
"""Design -> level of certainty (4 is high) -> verb; None where no verb is allowed and `reports.claim_sentences` says
what was observed."""


def say_verb(kind: DesignKind, level: int, value: float, *, arm: str, measure: str) -> str:
    """Return the lead of a causal sentence: ``Peer support probably reduces felt stigma``.

    Parameters
    ----------
    kind : str
        A design by lot; others have no verb.
    level : int
        Certainty, 1 to 4.
    value : float
        The estimate: below 0 is lower.
    arm, measure : str
        Label of the arm, and what is measured, in words.

    Raises
    ------
    KeyError
        The design has no verb.
    """
    by_level = VERBS[kind]
    if by_level is None:
        raise KeyError(kind)
    verb = by_level[level]
    return say(verb.lower if value < 0 else verb.higher, arm=arm, measure=measure)
