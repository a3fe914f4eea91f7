"""Multiple imputation from the joint model, and what several completed data sets say together (Rubin's rules).

Parameters are drawn from an approximate posterior: normal for the covariance in its unconstrained parameters, exact for
the coefficients given it. Chosen over the bootstrap because a draw costs one evaluation and cannot fail, where a
resample of a small trial loses rare levels of a covariate, or whole patterns, and must be fitted anew.
Rubin 1987, doi 10.1002/9780470316696; degrees of freedom by Barnard and Rubin 1999, doi 10.1093/biomet/86.4.948.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data.comparison import Comparison, Fits
from analysis.missing_data.completion import assign_means, fill_in_draws, find_patterns
from analysis.missing_data.imputation_model import LADDER, ImputationModel
from analysis.missing_data.panel import Compare, Panel
from analysis.mixed_models import Estimate
from analysis.mixed_models.inference import make_estimate
from analysis.mixed_models.jets import Array
from analysis.mixed_models.threads import on_one_thread
from analysis.telling import Number, tell
from data_contracts.errors import Problem

IMPUTATIONS: Final = 200
"""So many that the degrees of freedom, and the third digit of a standard error, hardly depend on the seed."""


def pool_imputations(values: Array, variances: Array, *, df_complete: float = float("inf")) -> Estimate:
    """Pool estimates of several completed data sets.

    With Q the mean of the m values, U the mean of their variances and B the variance of the values: total variance
    T = U + (1 + 1/m) B, share of it that is due to missing data l = (1 + 1/m) B / T, degrees of freedom
    1 / (l^2 / (m - 1) + 1 / ((df_complete + 1) / (df_complete + 3) df_complete (1 - l))).

    Parameters
    ----------
    values, variances : (m,) arrays
        Estimates, and their variances in each data set.
    df_complete : float
        Degrees of freedom without missing data.

    Raises
    ------
    AnalysisError
        There are fewer than two imputations.
    """
    count = len(values)
    if count < 2:
        raise AnalysisError(
            Problem("too_few_imputations", "One imputation says nothing about its own error.", "Ask for 20 at least.")
        )
    within, between = float(np.mean(variances)), float(np.var(values, ddof=1))
    total = within + (1.0 + 1.0 / count) * between
    share = (1.0 + 1.0 / count) * between / total if total > 0 else 0.0
    observed = (
        float("inf")
        if np.isinf(df_complete)
        else (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share)
    )
    lost = share**2 / (count - 1.0) + (1.0 / observed if observed > 0 else float("inf"))
    return make_estimate(float(np.mean(values)), float(np.sqrt(total)), 1.0 / lost if lost > 0 else float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MultipleImputations:
    """Least squares in every completed data set; see `estimate_one` and `tidy_imputed`.

    Attributes
    ----------
    panel : Panel
        Who was followed, with the strategy of each event.
    names : DataFrame
        A row for everything that can be asked: ``statistic``, ``arm``, ``contrast``.
    method : str
        How it was done.
    """

    panel: Panel
    names: pd.DataFrame
    method: str
    _values: Array
    _residuals: Array
    _scaled: Array
    _freedom: int

    def value(self, row: int, timepoint: int, points: Array) -> tuple[Estimate, float]:
        """See `analysis.missing_data.estimates.Imputed`."""
        weights = np.concatenate([[1.0], points])
        values = self._values[:, row, timepoint] @ weights
        squares = np.einsum("a,mab,b->m", weights, self._residuals[:, timepoint], weights)
        found = pool_imputations(values, self._scaled[row] * squares / self._freedom, df_complete=self._freedom)
        return found, float(np.std(values, ddof=1) / np.sqrt(len(values)))


@on_one_thread
def impute_repeatedly(
    panel: Panel,
    rng: np.random.Generator,
    *,
    imputations: int = IMPUTATIONS,
    compare: Compare = "ancova",
    contrasts: Sequence[tuple[str, str]] | None = None,
    covariance: Sequence[str] = LADDER,
) -> MultipleImputations:
    """Draw parameters and missing scores, and fit the comparison to every completed data set.

    Parameters
    ----------
    panel : Panel
        Of `build_panel`, without groups: Rubin's rules would take the people of a group as independent.
    rng : Generator
        Source of the draws.
    imputations : int
        How many data sets.
    compare, contrasts, covariance
        As in `impute_conditional_means`.

    Raises
    ------
    AnalysisError
        People meet in groups, there are fewer than two imputations, or see `ImputationModel.fit` and `Comparison.of`.
    """
    if panel.groups is not None and (panel.groups >= 0).any():
        raise AnalysisError(
            Problem(
                "imputation_without_groups",
                "Multiple imputation does not know groups: its standard errors would be too small.",
                "Use impute_conditional_means, which leaves out whole groups in turn.",
            )
        )
    if imputations < 2:
        advice = "Ask for 20 at least."
        raise AnalysisError(Problem("too_few_imputations", "Pooling needs two imputations.", advice))
    comparison = Comparison.of(panel, compare=compare, contrasts=contrasts)
    model = ImputationModel.fit(panel, covariance=covariance)
    patterns, imputed = find_patterns(panel.observed), ~panel.observed
    fits: list[Fits] = []
    for _ in range(imputations):
        said = model.draw(rng)
        completed = fill_in_draws(panel, assign_means(panel, said), said.covariance, patterns, rng)
        fits.append(comparison.fit(completed, imputed))
    if fits[0].freedom < 1:
        message = "The comparison has as many terms as there are participants."
        raise AnalysisError(Problem("too_few_rows", message, "Take covariates out, or collect more data."))
    return MultipleImputations(
        panel=panel,
        names=comparison.names,
        method=tell(
            "Multiple imputation ({count}) from a mixed model for repeated measures ({covariance}), parameters drawn "
            "from their approximate posterior; Rubin's rules, Barnard-Rubin degrees of freedom.",
            count=Number(imputations),
            covariance=model.covariance,
        ),
        _values=np.array([fit.values for fit in fits]),
        _residuals=np.array([fit.residuals for fit in fits]),
        _scaled=fits[0].scaled,
        _freedom=fits[0].freedom,
    )
