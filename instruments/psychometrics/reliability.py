"""How well a measure works in this sample: reliability, measurement error, agreement over time."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from data_contracts.errors import Problem
from data_contracts.telling import Number, Told, tell, tell_many
from instruments.errors import InstrumentError
from instruments.psychometrics.factor_analysis import fit_one_factor
from instruments.psychometrics.moments import summarise_answers

CONFIDENCE: Final = 0.95
RELIABLE_CHANGE_QUANTILE: Final = 1.96
"""As Jacobson & Truax (1991) write it."""
SAME_POINTS: Final = 1e-9
"""Share of the spread of scores that rounding can make of no difference."""

Use = Literal["complete", "available"]
_ALPHA: Final[dict[Use, str]] = {
    "complete": tell("Cronbach's alpha of complete answers with the interval of Feldt (1965)"),
    "available": tell("Cronbach's alpha of covariances between all answers with the interval of Feldt (1965)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic of one sample.

    Attributes
    ----------
    value, conf_low, conf_high : float
        The estimate and its 95 % interval; NaN where there is no interval.
    n : int
        Participants behind it.
    method : str
        How it was computed: a `Told`.
    """

    value: float
    n: int
    method: str
    conf_low: float = math.nan
    conf_high: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementError:
    """How far a score may be from the true one, in points of the score.

    Attributes
    ----------
    standard_error : float
        Standard error of measurement: SD x sqrt(1 - reliability).
    reliable_change : float
        The change beyond which measurement error alone is unlikely: 1.96 x sqrt(2) x `standard_error`.
    """

    standard_error: float
    reliable_change: float


def estimate_alpha(answers: pd.DataFrame, *, fewest: int = 2, use: Use = "complete") -> Estimate:
    """Estimate Cronbach's alpha.

    Parameters
    ----------
    answers : DataFrame
        Participant x item, scored (reversed items turned), NaN where missing.
    fewest : int
        Fewer participants give no estimate.
    use : {'complete', 'available'}
        Participants with every item answered, or the covariance of each pair of items among those who answered both.

    Returns
    -------
    Estimate
        At most 1, negative when items disagree, with the interval of Feldt (1965, doi 10.1007/BF02289499). `n` counts
        participants with every item answered, or with any.

    Raises
    ------
    InstrumentError
        ``single_item``, ``too_few_complete_rows``, ``too_few_participants`` or ``constant_items``.
    """
    usable = usable_answers(answers, tell("Alpha"), fewest, use)
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        alpha = float(pingouin.cronbach_alpha(usable)[0])
    n, items = usable.shape
    tail, freedom = (1 - CONFIDENCE) / 2, (n - 1, (n - 1) * (items - 1))
    low, high = (1 - (1 - alpha) * float(stats.f.isf(share, *freedom)) for share in (tail, 1 - tail))
    return Estimate(value=alpha, conf_low=low, conf_high=high, n=n, method=_ALPHA[use])


def estimate_omega(
    answers: pd.DataFrame, *, fewest: int = 2, use: Use = "complete", method: Literal["ml", "minres"] = "ml"
) -> Estimate:
    """Estimate McDonald's omega total: the share of the sum's variance that one factor explains.

    Parameters
    ----------
    answers, fewest, use
        As in `estimate_alpha`.
    method : {'ml', 'minres'}
        ``ml``: one factor by maximum likelihood on covariances, ``(sum l)^2 / ((sum l)^2 + sum of residual
        variances)``. ``minres``: one factor that leaves the smallest residual correlations, ``1 - sum of uniquenesses
        / sum of correlations``, as ``psych::omega(nfactors = 1)``. The default is ``ml``: it is about the sum that is
        scored, and its model is the one that invariance is judged by.

    Returns
    -------
    Estimate
        From 0 to 1, without an interval. McDonald (1999), "Test theory: a unified treatment".

    Raises
    ------
    InstrumentError
        As in `estimate_alpha`, and ``too_few_items``, ``not_converged``, ``improper_solution`` or ``dependent_items``.
    """
    usable = usable_answers(answers, tell("Omega"), fewest, use)
    if method == "ml":
        fit = fit_one_factor(summarise_answers([usable]))
        common = float(fit.loadings.to_numpy().sum()) ** 2
        value = common / (common + float(fit.residual_variances.to_numpy().sum()))
        words = tell("omega total of one factor by maximum likelihood")
        return Estimate(value=value, n=len(usable), method=words)
    correlations = usable.corr().to_numpy()
    uniqueness = 1 - _minres_loadings(correlations) ** 2
    value = 1 - float(uniqueness.sum() / correlations.sum())
    return Estimate(value=value, n=len(usable), method=tell("omega total of one factor by smallest residuals"))


def derive_measurement_error(sd: float, reliability: float) -> MeasurementError:
    """Derive the standard error of measurement and the threshold of reliable change.

    Parameters
    ----------
    sd : float
        Standard deviation of the score, in points.
    reliability : float
        Of the score in the same people, 0 to 1.

    Returns
    -------
    MeasurementError
        In points. Jacobson & Truax (1991), doi 10.1037/0022-006X.59.1.12.

    Raises
    ------
    InstrumentError
        ``reliability_not_possible``: below 0 or above 1.
    """
    if not 0 <= reliability <= 1:
        raise InstrumentError(
            Problem(
                "reliability_not_possible",
                tell("Measurement error needs a reliability from 0 to 1."),
                "Look for items that run against the others.",
            )
        )
    error = sd * math.sqrt(1 - reliability)
    return MeasurementError(standard_error=error, reliable_change=RELIABLE_CHANGE_QUANTILE * math.sqrt(2) * error)


def estimate_retest_agreement(first: pd.Series, second: pd.Series, *, fewest: int = 3) -> Estimate:
    """Estimate how far scores at two timepoints agree, in level as well as in order.

    Parameters
    ----------
    first, second : Series
        Participant -> score in points; participants without a score at both are left out.
    fewest : int
        Fewer participants give no estimate; at least 3.

    Returns
    -------
    Estimate
        The intraclass correlation ICC(A,1), also named ICC(2,1), with its interval (McGraw & Wong 1996, doi
        10.1037/1082-989X.1.1.30). It is test-retest reliability only where people did not change in between.

    Raises
    ------
    InstrumentError
        ``too_few_participants`` or ``constant_scores``.
    """
    both = pd.DataFrame({"first": first, "second": second}).dropna().sort_values(["first", "second"], ignore_index=True)
    if len(both) < max(fewest, 3):
        few = max(fewest, 3)
        raise _too_few(
            tell_many(
                "Agreement needs at least {fewest} participant with a score at both timepoints.",
                "Agreement needs at least {fewest} participants with a score at both timepoints.",
                few,
                fewest=Number(few),
            )
        )
    if np.ptp(both["first"] - both["second"]) <= SAME_POINTS * np.ptp(both.to_numpy()):
        raise InstrumentError(
            Problem(
                "constant_scores",
                tell("Agreement needs scores that differ between participants, and by more than one common shift."),
                "Gather more participants.",
            )
        )
    import pingouin

    long = both.rename_axis("participant").reset_index().melt("participant", var_name="occasion", value_name="score")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        table = pingouin.intraclass_corr(long, targets="participant", raters="occasion", ratings="score")
    agreement = float(table.set_index("Type").loc["ICC(A,1)", "ICC"])
    low, high = _agreement_interval(both.to_numpy(), agreement)
    words = tell("intraclass correlation ICC(A,1)")
    return Estimate(value=agreement, conf_low=low, conf_high=high, n=len(both), method=words)


def usable_answers(answers: pd.DataFrame, what: Told, fewest: int, use: Use) -> pd.DataFrame:
    """Return the answers to compute with, in an order of content alone.

    Parameters
    ----------
    answers, fewest, use
        As in `estimate_alpha`.
    what : Told
        What they are for, as a message names it.

    Returns
    -------
    DataFrame
        Participants with every item answered, or with any; the index is dropped.

    Raises
    ------
    InstrumentError
        As in `estimate_alpha`.
    """
    if answers.shape[1] < 2:
        raise InstrumentError(
            Problem(
                "single_item",
                tell("{statistic} needs two items or more.", statistic=what),
                "Leave it out for this measure.",
            )
        )
    kept = answers.dropna(how="any" if use == "complete" else "all").astype("float64")
    if len(kept) < max(fewest, 2):
        raise _too_few_rows(what, max(fewest, 2)) if use == "complete" else _too_few_answers(what, max(fewest, 2))
    if (kept.nunique() < 2).any() or (use == "complete" and kept.sum(axis=1).nunique() < 2):
        raise InstrumentError(
            Problem(
                "constant_items",
                tell("{statistic} needs answers that differ between participants.", statistic=what),
                "Leave out the item that all answered alike, or gather more participants.",
            )
        )
    return kept.sort_values(list(kept.columns), ignore_index=True)


def _agreement_interval(scores: NDArray[np.float64], agreement: float) -> tuple[float, float]:
    """Return the interval of ICC(A,1), which pingouin rounds to two decimals."""
    n, k = scores.shape
    people, occasions = scores.mean(axis=1) - scores.mean(), scores.mean(axis=0) - scores.mean()
    residual = scores - scores.mean() - people[:, np.newaxis] - occasions
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    between, shift = k * (people**2).sum() / (n - 1), n * (occasions**2).sum() / (k - 1)
    a, b = k * agreement / n / (1 - agreement), 1 + k * agreement * (n - 1) / n / (1 - agreement)
    df = (a * shift + b * error) ** 2 / ((a * shift) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1)))
    tail, apart = (1 - CONFIDENCE) / 2, k * shift + (k * n - k - n) * error
    lower, upper = stats.f.isf(tail, n - 1, df), stats.f.isf(tail, df, n - 1)
    low = n * (between - lower * error) / (lower * apart + n * between)
    high = n * (upper * between - error) / (apart + n * upper * between)
    return float(low), float(high)


def _too_few(message: Told, code: str = "too_few_participants") -> InstrumentError:
    return InstrumentError(Problem(code, message, "Gather more participants."))


def _too_few_rows(what: Told, fewest: int) -> InstrumentError:
    message = tell_many(
        "{statistic} needs at least {fewest} participant with every item answered.",
        "{statistic} needs at least {fewest} participants with every item answered.",
        fewest,
        statistic=what,
        fewest=Number(fewest),
    )
    return _too_few(message, "too_few_complete_rows")


def _too_few_answers(what: Told, fewest: int) -> InstrumentError:
    return _too_few(
        tell_many(
            "{statistic} needs at least {fewest} participant with an answer.",
            "{statistic} needs at least {fewest} participants with an answer.",
            fewest,
            statistic=what,
            fewest=Number(fewest),
        )
    )


def _minres_loadings(correlations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loadings of one factor with the smallest squared residual correlations."""
    apart = np.tril_indices(len(correlations), k=-1)
    values, vectors = np.linalg.eigh(correlations)
    start = vectors[:, -1] * math.sqrt(values[-1]) * 0.8

    def residuals(loadings: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((correlations - np.outer(loadings, loadings))[apart])

    return np.asarray(optimize.least_squares(residuals, start, xtol=1e-12, ftol=1e-12, gtol=1e-12).x)
