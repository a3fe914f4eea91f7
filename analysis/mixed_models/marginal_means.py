"""Model means on a grid of factors, and contrasts between them, with degrees of freedom of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import CONFIDENCE, Estimate
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem, choose_from

if TYPE_CHECKING:
    from analysis.mixed_models.terms import Design

Adjust = Literal["none", "holm", "multivariate_t"]
ADJUSTMENTS: Final = ("none", "holm", "multivariate_t")
DRAWS: Final = 17
"""Power of two of the quasi-random draws from a multivariate t."""
SMALL: Final = 1e-3
"""Adjusted p-values below this are Bonferroni's: too few draws lie that far out."""
RANK: Final = 1e-10
"""Eigenvalue of a correlation, relative to the largest, that is rounding."""
_SEED: Final = 20_260
"""Of these draws: same input, same bytes."""


class Estimator(Protocol):
    """What means and contrasts need of a fit."""

    @property
    def vcov(self) -> Array:
        """Covariance of what weights are for."""
        ...

    def row(self, weights: Array) -> Array:
        """Return weights of what is estimated; an AnalysisError where the data cannot tell."""
        ...

    def estimate(self, weights: Array) -> Estimate:
        """Estimate a linear combination."""
        ...


class LinearEstimator(Estimator, Protocol):
    """What means of a linear model need of it."""

    @property
    def design(self) -> Design:
        """Terms and variables."""
        ...

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        ...

    @property
    def dropped_terms(self) -> tuple[str, ...]:
        """Columns left out because those before them say the same."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """Named linear combinations of coefficients.

    Attributes
    ----------
    names : DataFrame
        A row per combination: ``contrast`` and what it is within.
    matrix : (rows, columns) array
        Weights of `terms` and then of `dropped_terms` of the fit.
    adjust : {"none", "holm", "multivariate_t"}
        How p-values (and under multivariate_t intervals) allow for their number.
    """

    fit: Estimator
    names: pd.DataFrame
    matrix: Array
    adjust: Adjust = "none"

    def estimates(self) -> list[Estimate]:
        """Return each combination with its own degrees of freedom, unadjusted."""
        return [_estimate(self.fit, row) for row in self.matrix]

    def tidy(self) -> pd.DataFrame:
        """Return names, estimate, std_error, df, statistic, p_value, conf_low, conf_high, and p_adjusted if asked for.

        Under ``multivariate_t`` the intervals are simultaneous and the smallest degrees of freedom serve for all.
        """
        found = _table(self.names, self.estimates())
        if self.adjust == "holm":
            return found.assign(p_adjusted=holm(found["p_value"].to_numpy()))
        if self.adjust == "multivariate_t":
            return self._simultaneous(found)
        return found

    def _simultaneous(self, found: pd.DataFrame) -> pd.DataFrame:
        usable = (found["std_error"] > 0).to_numpy()  # no means that are equal by the model
        p_adjusted = np.full(len(found), np.nan)
        if not usable.any():
            return found.assign(p_adjusted=p_adjusted)
        rows = np.array([self.fit.row(row) for row in self.matrix[usable]])
        vcov = rows @ self.fit.vcov @ rows.T
        deviation = np.sqrt(np.diag(vcov))
        correlation = _distinct(vcov / np.outer(deviation, deviation))
        df = float(found.loc[usable, "df"].min())
        largest = _largest(correlation, df)
        alone = found.loc[usable, "p_value"].to_numpy()
        at_most = np.minimum(alone * len(correlation), 1.0)  # Bonferroni: also where the sample is too small to tell
        beyond = (largest >= np.abs(found.loc[usable, "statistic"].to_numpy())[:, None]).mean(axis=1)
        p_adjusted[usable] = np.where(at_most < SMALL, at_most, np.clip(beyond, alone, at_most))
        exact = float(stats.t.ppf((1 + CONFIDENCE) / 2, df))
        reach = exact if len(correlation) == 1 else float(np.quantile(largest, CONFIDENCE))
        half = reach * found["std_error"]
        return found.assign(
            conf_low=found["estimate"] - half, conf_high=found["estimate"] + half, p_adjusted=p_adjusted
        )


@dataclass(frozen=True, slots=True, eq=False)
class MarginalMeans:
    """Model means on a grid.

    Attributes
    ----------
    grid : DataFrame
        Levels of each factor, a row per mean.
    matrix : (rows, columns) array
        Weights of `terms` and then of `dropped_terms` of the fit. A mean that the data cannot tell (of a combination
        that nobody has) is NaN; a contrast may still be told.
    """

    fit: Estimator
    grid: pd.DataFrame
    matrix: Array

    def tidy(self) -> pd.DataFrame:
        """Return factors, estimate, std_error, df, statistic, p_value (against zero), conf_low, conf_high."""
        return _table(self.grid, [_estimate(self.fit, row) for row in self.matrix])

    def combine(self, weights: Mapping[tuple[str, ...], float]) -> Estimate:
        """Estimate a weighted sum of means.

        Parameters
        ----------
        weights : mapping
            Levels, in the order of the columns of `grid`, -> weight; means left out weigh 0.

        Returns
        -------
        Estimate
            NaN where the data cannot tell one of the means.
        """
        places = {tuple(row): place for place, row in enumerate(self.grid.itertuples(index=False, name=None))}
        total = np.zeros(self.matrix.shape[1])
        for levels, weight in weights.items():
            if levels not in places:
                known = [" ".join(each) for each in places]
                message = f"There is no mean for '{' '.join(levels)}'."
                raise AnalysisError(Problem("mean_unknown", message, choose_from(" ".join(levels), known)))
            total = total + weight * self.matrix[places[levels]]
        return _estimate(self.fit, total)

    def pairwise(self, of: str, *, adjust: Adjust = "none") -> Contrasts:
        """Compare every level of a factor with every other, within each combination of the other factors."""
        pairs = [(second, first) for first, second in combinations(self._levels(of), 2)]
        return self._differences(of, pairs, adjust)

    def versus(self, of: str, reference: str | None = None, *, adjust: Adjust = "none") -> Contrasts:
        """Compare every level of a factor with a reference (its reference level), within the other factors."""
        levels = self._levels(of)
        against = levels[0] if reference is None else _known(str(reference), levels)
        return self._differences(of, [(level, against) for level in levels if level != against], adjust)

    def change(self, timepoint: str, baseline: str | None = None, *, adjust: Adjust = "none") -> Contrasts:
        """Estimate the change from baseline (the first timepoint) to every other, within the other factors."""
        return self.versus(timepoint, baseline, adjust=adjust)

    def difference_in_change(
        self,
        arm: str,
        timepoint: str,
        *,
        reference: str | None = None,
        baseline: str | None = None,
        adjust: Adjust = "none",
    ) -> Contrasts:
        """Compare the change from baseline of every arm with that of the reference arm."""
        arms, times = self._levels(arm), self._levels(timepoint)
        against = arms[0] if reference is None else _known(str(reference), arms)
        start = times[0] if baseline is None else _known(str(baseline), times)
        names, rows = [], []
        for within, places in self._within((arm, timepoint)):
            for first in (level for level in arms if level != against):
                for time in (level for level in times if level != start):
                    later = self.matrix[places[first, time]] - self.matrix[places[against, time]]
                    names.append({"contrast": f"{first} - {against}", "change": f"{time} - {start}", **within})
                    rows.append(later - (self.matrix[places[first, start]] - self.matrix[places[against, start]]))
        return Contrasts(self.fit, pd.DataFrame(names), np.array(rows), _adjustment(adjust))

    def _differences(self, of: str, pairs: Sequence[tuple[str, str]], adjust: Adjust) -> Contrasts:
        names, rows = [], []
        for within, places in self._within((of,)):
            for first, second in pairs:
                names.append({"contrast": f"{first} - {second}", **within})
                rows.append(self.matrix[places[first,]] - self.matrix[places[second,]])
        return Contrasts(self.fit, pd.DataFrame(names), np.array(rows), _adjustment(adjust))

    def _levels(self, of: str) -> tuple[str, ...]:
        if of not in self.grid.columns:
            raise AnalysisError(
                Problem("factor_unknown", f"The means are not by '{of}'.", choose_from(of, list(self.grid.columns)))
            )
        return tuple(dict.fromkeys(self.grid[of]))

    def _within(self, of: tuple[str, ...]) -> list[tuple[dict[str, str], dict[tuple[str, ...], int]]]:
        """Return, for each combination of the other factors, that and the row of every combination of these."""
        for name in of:
            self._levels(name)
        others = [name for name in self.grid.columns if name not in of]
        found: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
        for place, row in enumerate(self.grid.to_dict("records")):
            found.setdefault(tuple(row[name] for name in others), {})[tuple(row[name] for name in of)] = place
        return [(dict(zip(others, key, strict=True)), places) for key, places in found.items()]


def marginal_means(
    fit: LinearEstimator, by: tuple[str, ...], *, at: Mapping[str, float], weights: Literal["equal", "observed"]
) -> MarginalMeans:
    """Return model means on the grid of `by`; see `ModelFit.marginal_means`."""
    variables = fit.design.variables
    factors = [name for name, variable in variables.items() if variable.levels]
    numbers = [name for name in variables if name not in factors]
    for name, known, what in [*((name, factors, "factor") for name in by), *((name, numbers, "number") for name in at)]:
        if name not in known:
            raise AnalysisError(
                Problem("variable_unknown", f"The model has no {what} '{name}'.", choose_from(name, known or ["none"]))
            )
    if weights not in ("equal", "observed"):
        raise AnalysisError(
            Problem("weights_unknown", f"There are no weights '{weights}'.", "Allowed: equal, observed.")
        )
    typical: dict[str, list[float]] = {}
    for name, variable in variables.items():
        if not variable.levels:
            typical[name] = [at.get(name, variable.mean) - (variable.centre if variable.is_centred else 0.0)]
        else:
            count = len(variable.levels)
            typical[name] = list(variable.shares) if weights == "observed" else [1.0 / count] * count
    grid, rows = [], []
    for levels in product(*(range(len(variables[name].levels)) for name in by)):
        chosen = dict(zip(by, levels, strict=True))
        values = {
            column.name: float(
                np.prod(
                    [
                        float(level == chosen[name]) if name in chosen else typical[name][level]
                        for name, level in column.parts
                    ]
                )
            )
            for column in fit.design.columns
        }
        grid.append({name: variables[name].levels[level] for name, level in chosen.items()})
        rows.append([values[term] for term in (*fit.terms, *fit.dropped_terms)])
    return MarginalMeans(fit, pd.DataFrame(grid, columns=list(by)), np.array(rows))


def holm(p_values: Array) -> Array:
    """Return p-values adjusted by Holm's method; NaN stays NaN and does not count."""
    found = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return found


def _estimate(fit: Estimator, row: Array) -> Estimate:
    """Return a linear combination, NaN where the data cannot tell it."""
    try:
        if not np.isnan(row).any():
            return fit.estimate(row)
    except AnalysisError:
        pass
    nothing = float("nan")
    return Estimate(value=nothing, std_error=nothing, df=nothing, conf_low=nothing, conf_high=nothing, p_value=nothing)


def _table(names: pd.DataFrame, estimates: Sequence[Estimate]) -> pd.DataFrame:
    return names.reset_index(drop=True).assign(
        estimate=[each.value for each in estimates],
        std_error=[each.std_error for each in estimates],
        df=[each.df for each in estimates],
        statistic=[each.statistic for each in estimates],
        p_value=[each.p_value for each in estimates],
        conf_low=[each.conf_low for each in estimates],
        conf_high=[each.conf_high for each in estimates],
    )


def _distinct(correlation: Array) -> Array:
    """Return the correlations of contrasts of which none is another once more."""
    kept: list[int] = []
    for place in range(len(correlation)):
        if not (np.abs(correlation[place, kept]) > 1.0 - 1e-10).any():
            kept.append(place)
    return correlation[np.ix_(kept, kept)]


def _largest(correlation: Array, df: float) -> Array:
    """Return the largest component in size of many draws of a multivariate t; the same draws every time."""
    values, vectors = np.linalg.eigh(correlation)
    kept = values > RANK * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])
    draws = stats.qmc.Sobol(root.shape[1] + 1, rng=np.random.default_rng(_SEED)).random_base2(DRAWS)
    draws = np.clip(draws, 1e-12, 1.0 - 1e-12)
    scale = np.ones(len(draws)) if np.isinf(df) else np.sqrt(stats.chi2.ppf(draws[:, -1], df) / df)
    found: Array = np.abs(stats.norm.ppf(draws[:, :-1]) @ root.T).max(axis=1) / scale
    return found


def _adjustment(adjust: Adjust) -> Adjust:
    if adjust not in ADJUSTMENTS:
        raise AnalysisError(
            Problem("adjust_unknown", f"There is no adjustment '{adjust}'.", choose_from(str(adjust), ADJUSTMENTS))
        )
    return adjust


def _known(level: str, levels: Sequence[str]) -> str:
    if level not in levels:
        raise AnalysisError(Problem("level_unknown", f"There is no level '{level}'.", choose_from(level, levels)))
    return level
