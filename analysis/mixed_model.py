"""Mixed models with random intercepts for participants and for the groups they meet in.

The engine finds the ratios of the variances (`analysis.engine`); fixed effects, their covariance and the likelihood
follow from them exactly (`analysis.reml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from analysis.engine import find_variance_ratios
from analysis.errors import AnalysisError
from analysis.reml import NO_GROUP, Array, Codes, Gls, Sums, solve_gls, sum_rows
from data_contracts.errors import Problem

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpecification:
    """Which columns of a frame are what.

    Attributes
    ----------
    terms : tuple of str
        Numeric columns of the design, the intercept included.
    outcome, participant : str
        Columns of the outcome (points) and of the participant codes.
    group : str or None
        Column with the group whose variance a row shares, empty where none: all rows of a participant who meets in no
        group, and rows from before the group met. None for a model without groups.
    """

    terms: tuple[str, ...]
    outcome: str = "score"
    participant: str = "participant"
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A linear combination of fixed effects with its t interval (95 %)."""

    value: float
    std_error: float
    df: float
    conf_low: float
    conf_high: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedModelFit:
    """A fitted model. Where `converged` is False, every estimate in it is NaN.

    Attributes
    ----------
    terms : tuple of str
        Names of the fixed effects.
    coefficients : (p,) array
        In points.
    vcov : (p, p) array
        Generalised least squares covariance (X' V^-1 X)^-1 at the fitted variances.
    variance_participant, variance_group, variance_residual : float
        In squared points; `variance_group` is NaN in a model without groups.
    log_likelihood : float
        Restricted log-likelihood, comparable with that of lme4.
    converged : bool
        The variances were verified to be a maximum of the likelihood, with finite standard errors.
    is_singular : bool
        A variance was estimated as zero: a valid fit at the boundary, without that variance.
    messages : tuple of str
        What the engine said, attempt by attempt.
    n_participants, n_rows, n_groups : int
        What the model was fitted to.
    """

    terms: tuple[str, ...]
    coefficients: Array
    vcov: Array
    variance_participant: float
    variance_group: float
    variance_residual: float
    log_likelihood: float
    converged: bool
    is_singular: bool
    messages: tuple[str, ...]
    n_participants: int
    n_rows: int
    n_groups: int

    @property
    def df_participants(self) -> float:
        """Participants less fixed effects: the degrees of freedom between participants, none lent by repeated rows."""
        return float(self.n_participants - len(self.terms))

    def estimate(self, weights: Mapping[str, float], *, df: float | None = None) -> Estimate:
        """Estimate a linear combination of fixed effects.

        Parameters
        ----------
        weights : mapping
            Term -> weight; terms left out weigh 0.
        df : float, optional
            Degrees of freedom of the t distribution; `df_participants` unless given. Pass the number of groups less one
            for what is compared between groups.

        Returns
        -------
        Estimate
            Value and standard error in points; `p_value` is two-sided against zero. Without degrees of freedom (below
            one) there is a value and no inference.

        Raises
        ------
        AnalysisError
            A weight is for a term that the model does not have.
        """
        unknown = [term for term in weights if term not in self.terms]
        if unknown:
            raise AnalysisError(
                Problem("term_unknown", f"The model has no term '{unknown[0]}'.", f"Terms: {', '.join(self.terms)}.")
            )
        row = np.array([weights.get(term, 0.0) for term in self.terms])
        freedom = self.df_participants if df is None else df
        value, std_error = float(row @ self.coefficients), float(np.sqrt(row @ self.vcov @ row))
        if freedom < 1 or not std_error > 0:
            return Estimate(
                value=value, std_error=std_error, df=freedom, conf_low=np.nan, conf_high=np.nan, p_value=np.nan
            )
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * std_error
        p_value = float(2 * stats.t.sf(abs(value / std_error), freedom))
        return Estimate(
            value=value,
            std_error=std_error,
            df=freedom,
            conf_low=value - reach,
            conf_high=value + reach,
            p_value=p_value,
        )

    def tidy(self) -> pd.DataFrame:
        """Return one row per fixed effect: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high."""
        estimates = [self.estimate({term: 1.0}) for term in self.terms]
        return pd.DataFrame(
            {
                "term": list(self.terms),
                "estimate": [each.value for each in estimates],
                "std_error": [each.std_error for each in estimates],
                "df": [each.df for each in estimates],
                "statistic": [each.value / each.std_error for each in estimates],
                "p_value": [each.p_value for each in estimates],
                "conf_low": [each.conf_low for each in estimates],
                "conf_high": [each.conf_high for each in estimates],
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row: likelihood, variances, sizes and how the optimisation ended."""
        names = (
            "log_likelihood",
            "variance_participant",
            "variance_group",
            "variance_residual",
            "converged",
            "is_singular",
            "n_participants",
            "n_rows",
            "n_groups",
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


def fit_mixed_model(frame: pd.DataFrame, specification: ModelSpecification) -> MixedModelFit:
    """Fit a linear mixed model with random intercepts by restricted maximum likelihood.

    score = X b + (group) + (participant) + residual. Participants who meet in no group have no group variance
    (partially nested, Candlish et al. 2018, doi 10.1186/s12874-018-0559-x).

    Parameters
    ----------
    frame : DataFrame
        One row per score, without missing values. Never changed; neither the labels of participants and groups nor
        their order of sorting have any bearing.
    specification : ModelSpecification
        Which columns are what.

    Returns
    -------
    MixedModelFit
        With `converged` False and NaN estimates when no attempt reached a verified maximum.

    Raises
    ------
    AnalysisError
        A column is missing or holds missing values, a participant is in two groups, or a term depends on others.

    Notes
    -----
    The engine sees standardised residuals of least squares, which have the same ratios; results are in points. The
    covariance of the fixed effects is that of lme4 (Bates et al. 2015, doi 10.18637/jss.v067.i01).
    """
    y, x, participant, group = _arrays(frame, specification)
    by_ols: Array = np.linalg.lstsq(x, y, rcond=None)[0].astype(np.float64)
    residuals = y - x @ by_ols
    spread = float(residuals.std()) or 1.0
    sums = sum_rows(residuals / spread, x, participant, group)
    ratios, messages = find_variance_ratios(residuals / spread, x, participant, group, sums)
    return _arrange(specification, sums, ratios, messages, by_ols, spread)


def _arrays(frame: pd.DataFrame, specification: ModelSpecification) -> tuple[Array, Array, Codes, Codes]:
    """Return outcome, design, and codes of participant and group, by first appearance."""
    named = [
        specification.outcome,
        specification.participant,
        *specification.terms,
        *([specification.group] if specification.group else []),
    ]
    for column in named:
        if column not in frame.columns or frame[column].isna().any():
            raise AnalysisError(
                Problem(
                    "column_incomplete",
                    f"The column '{column}' is missing or has missing values.",
                    "Fit rows with every value known.",
                )
            )
    y = frame[specification.outcome].to_numpy(dtype=float)
    x = frame[list(specification.terms)].to_numpy(dtype=float)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise AnalysisError(
            Problem("terms_dependent", "A term of the model is a combination of others.", "Leave it out.")
        )
    participant = np.asarray(pd.factorize(frame[specification.participant])[0], dtype=np.int64)
    group = np.full(len(y), NO_GROUP, dtype=np.int64)
    if specification.group is not None:
        labels = frame[specification.group]
        group = np.asarray(pd.factorize(labels.mask(labels == ""))[0], dtype=np.int64)
        shares = group != NO_GROUP
        if len(np.unique(np.column_stack([participant, group])[shares], axis=0)) > len(np.unique(participant[shares])):
            raise AnalysisError(
                Problem("two_groups", "A participant is in more than one group.", "Name one group per participant.")
            )
    return y, x, participant, group


def _arrange(
    specification: ModelSpecification,
    sums: Sums,
    ratios: tuple[float, float] | None,
    messages: tuple[str, ...],
    by_ols: Array,
    spread: float,
) -> MixedModelFit:
    """Solve for everything else at the variance ratios found, and return to points from residuals over `spread`."""
    size = len(specification.terms)
    solved = Gls(np.full(size, np.nan), np.full((size, size), np.nan), np.nan, np.nan)
    if ratios is not None:
        solved = solve_gls(sums, *ratios)
    residual = solved.residual_variance * spread**2
    vcov = residual * solved.unscaled_vcov
    converged = bool(residual > 0 and np.isfinite(vcov).all() and (np.diag(vcov) > 0).all())
    participant_ratio, group_ratio = ratios or (np.nan, np.nan)
    return MixedModelFit(
        terms=specification.terms,
        coefficients=by_ols + spread * solved.coefficients,
        vcov=vcov,
        variance_participant=participant_ratio * residual,
        variance_group=group_ratio * residual if sums.n_groups else np.nan,
        variance_residual=residual,
        log_likelihood=float(-solved.deviance / 2 - (sums.n_rows - size) * np.log(spread)),
        converged=converged,
        is_singular=participant_ratio == 0.0 or (sums.n_groups > 0 and group_ratio == 0.0),
        messages=messages,
        n_participants=len(sums.rows),
        n_rows=sums.n_rows,
        n_groups=sums.n_groups,
    )
