"""Solved estimating equations: what was found, how sure that is, and everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from analysis.gee_guards import Family
from analysis.gee_means import GeeMeans, People, Response, Weights, standardised_means
from analysis.mixed_models.basis import estimable_row
from analysis.mixed_models.inference import Estimate, make_estimate
from analysis.mixed_models.jets import Array
from analysis.mixed_models.model_fit import tidy_estimates
from analysis.mixed_models.terms import Design

Working = Literal["exchangeable", "independence"]
LINKS: Final[dict[str, str]] = {"binary": "logit", "ordinal": "cumulative logit", "count": "log"}
RATIOS: Final[dict[str, str]] = {"binary": "odds ratio", "ordinal": "cumulative odds ratio", "count": "rate ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The exponential of a linear combination of coefficients, with its interval (95 %) and test against one.

    Attributes
    ----------
    kind : str
        ``odds ratio``, ``cumulative odds ratio`` (of being above any cut) or ``rate ratio``.
    value, conf_low, conf_high : float
        The ratio, and the exponentials of the ends of the interval of its logarithm.
    log_std_error : float
        Standard error of its logarithm.
    df, p_value : float
        Of the t test that its logarithm is zero.
    """

    kind: str
    value: float
    conf_low: float
    conf_high: float
    log_std_error: float
    df: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeeFit:
    """Solved estimating equations. Where `converged` is False, every estimate in it is NaN and `messages` says why.

    Attributes
    ----------
    family : {"binary", "ordinal", "count"}
        What the outcome is.
    terms : tuple of str
        Names of the coefficients. Of an ordinal outcome, ``outcome>level`` for each level but the highest in place of
        the intercept: the log odds of being above it.
    dropped_terms : tuple of str
        Columns left out because those before them say the same.
    coefficients : (k,) array
        On the scale of the link: log odds, or log counts.
    vcov : (k, k) array
        Their bias-reduced covariance.
    df : float
        Clusters less coefficients.
    n_rows, n_participants, n_clusters : int
        What the model was fitted to.
    clusters : str
        Column whose values are the clusters: the participant, or the group.
    dropped_rows : mapping
        Reason -> rows left out.
    working : {"exchangeable", "independence"}
        Correlation that rows of a cluster were taken to have for weighting; no standard error depends on its truth.
    working_correlation : float
        As estimated; 0 under independence, and where no cluster has two rows.
    scale : float
        Of a count, Pearson's chi-square over rows less coefficients: variance over mean, 1 for a Poisson count. Else 1.
    converged : bool
        Whether the fit may be used.
    n_iterations : int
        Steps taken.
    score_norm : float
        Length of the score before the last of them.
    messages : tuple of str
        What the computation warned of.
    """

    family: Family
    terms: tuple[str, ...]
    dropped_terms: tuple[str, ...]
    coefficients: Array
    vcov: Array
    df: float
    n_rows: int
    n_participants: int
    n_clusters: int
    clusters: str
    dropped_rows: Mapping[str, int]
    working: Working
    working_correlation: float
    scale: float
    converged: bool
    n_iterations: int
    score_norm: float
    messages: tuple[str, ...]
    _people: People
    _response: Response

    @property
    def design(self) -> Design:
        """Terms, variables and timepoints of the model."""
        return self._people.design

    def estimate(self, weights: Mapping[str, float] | Array) -> Estimate:
        """Estimate a linear combination of coefficients, on the scale of the link.

        Parameters
        ----------
        weights : mapping or array
            Term -> weight, terms left out weigh 0; or a weight for each of `terms`, or for each of `terms` and then of
            `dropped_terms`.

        Raises
        ------
        AnalysisError
            A weight is for a term that the model does not have, or for one left out that others cannot stand in for.
        """
        row = self.row(weights)
        error = float(np.sqrt(max(float(row @ self.vcov @ row), 0.0)))
        return make_estimate(float(row @ self.coefficients), error, self.df if self.converged else float("nan"))

    def ratio(self, weights: Mapping[str, float] | Array) -> Ratio:
        """Estimate the exponential of a linear combination of coefficients: an odds ratio or a rate ratio.

        Parameters
        ----------
        weights : mapping or array
            As in `estimate`.

        Raises
        ------
        AnalysisError
            See `estimate`.
        """
        found = self.estimate(weights)
        with np.errstate(over="ignore"):
            value, low, high = np.exp(np.array([found.value, found.conf_low, found.conf_high]))
        return Ratio(
            kind=RATIOS[self.family],
            value=float(value),
            conf_low=float(low),
            conf_high=float(high),
            log_std_error=found.std_error,
            df=found.df,
            p_value=found.p_value,
        )

    def row(self, weights: Mapping[str, float] | Array) -> Array:
        """Return weights for each of `terms`, after checking that those of left-out terms go without saying.

        Raises
        ------
        AnalysisError
            See `estimate`.
        """
        aliases, cuts = self._people.basis.aliases, self._response.n_cuts
        said = np.vstack([np.repeat(aliases[:1], cuts, axis=0), aliases[1:]])
        return estimable_row(weights, self.terms, self.dropped_terms, said)

    def marginal_means(
        self, by: str | Sequence[str], *, at: Mapping[str, float] | None = None, weights: Weights = "observed"
    ) -> GeeMeans:
        """Return standardised means on the scale of the response: probabilities, mean ordinal codes or mean counts.

        For each combination of levels of `by` the model predicts what every participant would answer had they these
        levels, all else as observed; the predictions are averaged (g-computation: Robins 1986,
        doi 10.1016/0270-0255(86)90088-6). A mean of logits is not the logit of a mean, so nothing is set to its mean.
        Standard errors by the delta method, for these participants' covariates as they are.

        Parameters
        ----------
        by : str or sequence of str
            Factors of the model. With the timepoint, what follows from it (such as its week) moves along.
        at : mapping, optional
            Number -> value that everybody is given.
        weights : {"observed", "rows"}
            Covariates as observed, every participant counting alike; or every row alike, so that those seen more often
            count for more.

        Returns
        -------
        GeeMeans
            With `tidy`, and the contrasts `pairwise`, `versus`, `change` and `difference_in_change`: differences of
            probabilities, codes or counts, t with `df` degrees of freedom. NaN where the data cannot tell.

        Raises
        ------
        AnalysisError
            A name is no factor of the model, or no number, or follows from the timepoint.
        """
        by = (by,) if isinstance(by, str) else tuple(by)
        return standardised_means(self._people, self._response, by, at=at or {}, weights=weights)

    def tidy(self) -> pd.DataFrame:
        """Return one row per coefficient: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high."""
        return tidy_estimates({"term": list(self.terms)}, [self.estimate(row) for row in np.eye(len(self.terms))])

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row: family, link, working correlation, sizes, and how the iterations ended."""
        return pd.DataFrame(
            [
                {
                    "model": "gee",
                    "family": self.family,
                    "link": LINKS[self.family],
                    "working": self.working,
                    "working_correlation": self.working_correlation,
                    "scale": self.scale,
                    "std_errors": "mancl_derouen",
                    "df": self.df,
                    "n_rows": self.n_rows,
                    "n_participants": self.n_participants,
                    "n_clusters": self.n_clusters,
                    "converged": self.converged,
                    "score_norm": self.score_norm,
                    "n_iterations": self.n_iterations,
                }
            ]
        )

    def words(self) -> str:
        """Return the model in one sentence."""
        how = f"{self.working} working correlation"
        if self.working == "exchangeable":
            how += f" ({self.working_correlation:.2f})"
        article = "an" if self.family == "ordinal" else "a"
        said = [
            f"Generalised estimating equations for {article} {self.family} outcome ({LINKS[self.family]} link), "
            f"{how} within '{self.clusters}'",
            f"bias-reduced standard errors after Mancl and DeRouen, t with {self.df:g} degrees of freedom",
        ]
        if self.family == "count":
            said.append(f"variance {self.scale:.2f} times the mean")
        if self.dropped_terms:
            said.append(f"left out because they add nothing: {', '.join(self.dropped_terms)}")
        return "; ".join(said) + "."

    def __repr__(self) -> str:
        """Return the fit as text for a supplement."""
        verdict = "converged" if self.converged else "NOT CONVERGED: no estimate may be used"
        left_out = "".join(f"; left out: {count} rows, {reason}" for reason, count in self.dropped_rows.items())
        return "\n".join(
            [
                self.words(),
                f"{self.n_rows} rows, {self.n_participants} participants, {self.n_clusters} clusters{left_out}",
                f"{verdict} ({self.n_iterations} steps, score {self.score_norm:.1e})",
                *self.messages,
                "",
                self.tidy().to_string(index=False, float_format=lambda value: f"{value:.4g}"),
            ]
        )
