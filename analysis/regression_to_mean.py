"""The change to expect of people who entered because of a score: regression to the mean.

Who enters because of a high score scores lower the next time, as part of the high score was chance. Davis 1976, doi
10.1093/oxfordjournals.aje.a112321; Barnett, van der Pols and Dobson 2005, doi 10.1093/ije/dyh299.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from scipy import stats

from analysis.errors import AnalysisError
from analysis.expected_change import ExpectedChange, make_expected_change
from analysis.mixed_models.inference import CONFIDENCE
from analysis.telling import tell
from data_contracts.errors import Problem

FEWEST_RETESTED: Final = 4
"""Fisher's standard error of a correlation is 1 / sqrt(n - 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Scores of the people from among whom participants came, before any entry rule.

    Attributes
    ----------
    mean, sd : float
        In points.
    retest : float
        Correlation of two scores of the same person as far apart as the timepoints, without a programme: 0 to below 1.
        Internal consistency (alpha) is no stand-in: it is mostly higher, and so promises too little change.
    n, n_retest : float
        People behind mean and standard deviation, and behind the correlation; infinite where they are taken as known.
    source : str
        Where the numbers come from.
    """

    mean: float
    sd: float
    retest: float
    n: float
    n_retest: float
    source: str

    def __post_init__(self) -> None:
        possible = math.isfinite(self.mean) and 0 < self.sd < math.inf and 0 <= self.retest < 1
        if not (possible and self.n >= 2 and self.n_retest >= FEWEST_RETESTED):
            raise AnalysisError(
                Problem(
                    "reference_not_possible",
                    "A reference needs a mean, a standard deviation above 0, a retest correlation from 0 to below 1, "
                    f"and the people behind them: at least 2, and {FEWEST_RETESTED} for the correlation.",
                    "Take them from one published sample, and write infinity for what is taken as known.",
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRule:
    """Scores that people entered with: `at_least` or `at_most` so many points.

    `step` is the distance of neighbouring scores (1 for whole numbers, 0 for scores without steps): the normal curve is
    cut half a step before the border.
    """

    at_least: float | None = None
    at_most: float | None = None
    step: float = 0.0

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None) or not self.step >= 0:
            message = "An entry rule has one border, and a step of 0 or more."
            raise AnalysisError(Problem("entry_rule_not_possible", message, "Give either at_least or at_most."))

    @property
    def sign(self) -> float:
        """1 where high scores enter, -1 where low ones do."""
        return -1.0 if self.at_least is None else 1.0

    @property
    def border(self) -> float:
        """Where the normal curve is cut, in points."""
        border = self.at_most if self.at_least is None else self.at_least
        assert border is not None  # noqa: S101 - checked when the rule was made
        return border - self.sign * self.step / 2


def expect_change_by_rule(reference: Reference, rule: EntryRule) -> ExpectedChange:
    """Derive the change to expect of people who entered by a border, from normal scores.

    With z = (border - mean) / sd and lambda = phi(z) / (1 - Phi(z)), who scored at least the border changes by
    -(1 - retest) sd lambda(z) on average; who scored at most the border by as much upwards, with z turned. The interval
    is by the delta method on the logarithm, over the uncertainty of mean, standard deviation and retest correlation
    (by Fisher's z), taken for independent. It knows neither natural change nor skewed scores: where scores are far from
    normal a natural change is the better benchmark.

    Parameters
    ----------
    reference : Reference
        Of the people before the rule was applied, never of those who entered.
    rule : EntryRule
        The border.
    """
    z = rule.sign * (rule.border - reference.mean) / reference.sd
    ratio = math.exp(float(stats.norm.logpdf(z) - stats.norm.logsf(z)))
    slope = ratio - z  # of log(ratio) by z
    to_mean, to_sd = -rule.sign * slope / reference.sd, (1 - z * slope) / reference.sd
    error = math.hypot(to_mean * _mean_error(reference), to_sd * _sd_error(reference), _retest_error(reference))
    value = -rule.sign * (1 - reference.retest) * reference.sd * ratio
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    ends = sorted((value * math.exp(-reach), value * math.exp(reach)))
    return ExpectedChange(
        value=value,
        std_error=abs(value) * error,
        conf_low=ends[0],
        conf_high=ends[1],
        df=math.inf,
        method=tell("regression to the mean of normal scores beyond a border (Davis 1976), delta method"),
        source=reference.source,
    )


def expect_change_by_mean(reference: Reference, *, mean: float) -> ExpectedChange:
    """Derive the change to expect of people from how far their mean lies from that of the people they came from.

    -(1 - retest) (mean - reference mean). It needs no normal scores and no border, only that the next score goes up
    with the first along a line and that scores before and later have the same spread. Delta method over reference mean
    and retest correlation; the mean of these people is taken as it is, for it is they who change.

    Parameters
    ----------
    reference : Reference
        Of the people before any rule was applied.
    mean : float
        Baseline mean of the participants, in points.

    Raises
    ------
    AnalysisError
        ``mean_not_possible``: not a number.
    """
    if not math.isfinite(mean):
        message = "There is no mean at baseline to start from."
        raise AnalysisError(Problem("mean_not_possible", message, "Give the baseline mean of those who entered."))
    value = -(1 - reference.retest) * (mean - reference.mean)
    error = math.hypot((1 - reference.retest) * _mean_error(reference), value * _retest_error(reference))
    method = tell("regression to the mean along a line, from the baseline mean, delta method")
    return make_expected_change(value, error, math.inf, method, reference.source)


def _mean_error(reference: Reference) -> float:
    return reference.sd / math.sqrt(reference.n)


def _sd_error(reference: Reference) -> float:
    return reference.sd / math.sqrt(2 * (reference.n - 1))


def _retest_error(reference: Reference) -> float:
    """Return the standard error of log(1 - retest): that of Fisher's z times 1 + retest."""
    return (1 + reference.retest) / math.sqrt(reference.n_retest - 3)
