"""A fitted model: what it found, how sure that is, and everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.arrange import Arranged
from analysis.mixed_models.bases import PatternBase, RowBase
from analysis.mixed_models.basis import Basis, estimable_row
from analysis.mixed_models.components import intraclass_correlations, variance_components
from analysis.mixed_models.inference import (
    DfMethod,
    Estimate,
    Precision,
    WaldTest,
    check_methods,
    make_estimate,
    make_precision,
)
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.marginal_means import MarginalMeans, marginal_means
from analysis.mixed_models.moments import Moments
from analysis.mixed_models.optimise import Optimisation, Optimum
from analysis.mixed_models.prediction import augment_rows, predict_random_effects
from analysis.mixed_models.robust import RobustKind, robust_precision
from analysis.mixed_models.terms import Design
from data_contracts.errors import Problem

DF_WORDS: Final[dict[str, str]] = {
    "kenward_roger": "Kenward-Roger standard errors and degrees of freedom",
    "kenward_roger_linear": "Kenward-Roger standard errors and degrees of freedom (linear)",
    "satterthwaite": "Satterthwaite degrees of freedom",
    "z": "normal approximation, too narrow in small samples",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What a fit was made of; coefficients here are those of centred columns, in units of `spread`.

    `as_asked` (2, 2) turns random intercept and slope of scaled time into those of the time as it is.
    """

    kind: Literal["mmrm", "mixed_model"]
    base: PatternBase | RowBase
    optimum: Optimum
    moments: Moments | None
    arranged: Arranged | None
    basis: Basis
    spread: float
    method: str
    as_asked: Array

    @property
    def columns(self) -> Codes:
        """Places of the columns kept."""
        return self.basis.columns

    @property
    def design(self) -> Design:
        """Terms, variables and timepoints."""
        source = self.arranged if self.arranged is not None else self.moments
        assert source is not None  # noqa: S101 - a fit is made of one of the two
        return source.design

    @property
    def strata(self) -> tuple[str, ...]:
        """Levels by which variances differ."""
        if self.moments is not None:
            return self.moments.strata
        assert self.arranged is not None  # noqa: S101
        return self.arranged.stratum_labels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelFit:
    """A fitted model. Where `optimisation.converged` is False, every estimate in it is NaN.

    Attributes
    ----------
    kind : {"mmrm", "mixed_model"}
        Residual covariance, or random effects.
    terms : tuple of str
        Names of the coefficients.
    dropped_terms : tuple of str
        Columns left out because those before them say the same.
    coefficients : (p,) array
        In units of the outcome.
    vcov : (p, p) array
        Their covariance by the method of `df_method`.
    log_likelihood : float
        Restricted or not, as `method` says; comparable with lme4, nlme, mmrm and SAS.
    method, df_method : str
        As asked for.
    robust_kind : {"CR2", "CR0", "CR3"} or None
        Of a cluster-robust `vcov`, which stands in for that of `df_method`.
    n_rows, n_participants : int
        What the model was fitted to.
    n_groups : mapping
        Column of groups -> number of groups.
    dropped_rows : mapping
        Reason -> rows left out.
    optimisation : Optimisation
        How the optimum was found, and the verdict.
    """

    kind: Literal["mmrm", "mixed_model"]
    terms: tuple[str, ...]
    dropped_terms: tuple[str, ...]
    coefficients: Array
    vcov: Array
    log_likelihood: float
    method: str
    df_method: DfMethod
    robust_kind: RobustKind | None
    n_rows: int
    n_participants: int
    n_groups: Mapping[str, int]
    dropped_rows: Mapping[str, int]
    optimisation: Optimisation
    _parts: Parts
    _precision: Precision | None

    @classmethod
    def of(cls, parts: Parts, df_method: DfMethod) -> Self:
        """Arrange what was found in terms of the columns as they were asked for."""
        optimum, basis, centre = parts.optimum, parts.basis, parts.design.outcome_centre
        converged = optimum.record.converged
        coefficients = np.full(len(basis.names), np.nan)
        vcov = np.full((len(basis.names), len(basis.names)), np.nan)
        precision = None
        if converged:
            precision = make_precision(
                optimum,
                df_method,
                information="observed" if parts.kind == "mmrm" else "expected",
                curvature=parts.base.curvature(optimum.theta) if isinstance(parts.base, PatternBase) else None,
            )
            coefficients = parts.spread * (basis.to_asked @ optimum.evaluation.coefficients)
            coefficients[0] += centre
            vcov = parts.spread**2 * basis.to_asked @ precision.vcov @ basis.to_asked.T
        rows = parts.base.n_rows
        freedom = rows - (len(basis.names) if parts.method == "reml" else 0)
        arranged, moments = parts.arranged, parts.moments
        groups = moments.groups if moments is not None else arranged.memberships if arranged is not None else ()
        return cls(
            kind=parts.kind,
            terms=basis.names,
            dropped_terms=basis.dropped,
            coefficients=coefficients,
            vcov=vcov,
            log_likelihood=-optimum.evaluation.deviance / 2.0 - freedom * float(np.log(parts.spread))
            if converged
            else float("nan"),
            method=parts.method,
            df_method=df_method,
            robust_kind=None,
            n_rows=rows,
            n_participants=moments.n_participants
            if moments is not None
            else len(arranged.participants)
            if arranged is not None
            else 0,
            n_groups={each.name: len(each.labels) for each in groups},
            dropped_rows=dict(arranged.dropped) if arranged is not None else {},
            optimisation=optimum.record,
            _parts=parts,
            _precision=precision,
        )

    @property
    def converged(self) -> bool:
        """Whether the fit may be used."""
        return self.optimisation.converged

    @property
    def design(self) -> Design:
        """Terms, variables and timepoints of the model."""
        return self._parts.design

    @property
    def moments(self) -> Moments | None:
        """The moments that the model was fitted to; None for rows in any time."""
        return self._parts.moments

    def with_df_method(self, df_method: DfMethod) -> ModelFit:
        """Return the same fit with other standard errors and degrees of freedom."""
        check_methods(self.method, df_method)
        return ModelFit.of(self._parts, df_method)

    def robust(self, kind: RobustKind = "CR2") -> ModelFit:
        """Return the same fit with cluster-robust standard errors, for those who doubt the covariance model.

        Parameters
        ----------
        kind : {"CR2", "CR0", "CR3"}
            Bias-reduced (Bell and McCaffrey 2002), plain, or jackknife. Clusters are the highest groups, or else the
            participants; degrees of freedom after Bell and McCaffrey.

        Raises
        ------
        AnalysisError
            The fit was made from moments alone, or did not converge.
        """
        precision = robust_precision(self._parts, kind)
        inverse = self._parts.basis.to_asked
        return replace(
            self,
            vcov=self._parts.spread**2 * inverse @ precision.vcov @ inverse.T,
            robust_kind=kind,
            _precision=precision,
        )

    def estimate(self, weights: Mapping[str, float] | Array, *, df: float | None = None) -> Estimate:
        """Estimate a linear combination of coefficients.

        Parameters
        ----------
        weights : mapping or array
            Term -> weight, terms left out weigh 0; or a weight for each of `terms`, or for each of `terms` and then of
            `dropped_terms`.
        df : float, optional
            Degrees of freedom in place of those of `df_method`.

        Raises
        ------
        AnalysisError
            A weight is for a term that the model does not have, or for one left out that others cannot stand in for.
        """
        row = self.row(weights)
        value = float(row @ self.coefficients)
        if self._precision is None:
            return make_estimate(value, float("nan"), float("nan"))
        found = self._precision.df(self._parts.basis.to_asked.T @ row) if df is None else df
        variance = float(row @ self.vcov @ row)
        return make_estimate(value, float(np.sqrt(variance)) if variance >= 0 else float("nan"), found)

    def row(self, weights: Mapping[str, float] | Array) -> Array:
        """Return weights for each of `terms`, after checking that those of left-out terms go without saying.

        Raises
        ------
        AnalysisError
            See `estimate`.
        """
        return estimable_row(weights, self.terms, self.dropped_terms, self._parts.basis.aliases)

    def test(self, rows: Sequence[Mapping[str, float]] | Array) -> WaldTest:
        """Test that several linear combinations of coefficients are all zero; see `estimate` for the weights."""
        matrix = np.array([self.row(each) for each in rows])
        if not len(matrix) or np.linalg.matrix_rank(matrix) < len(matrix):
            raise AnalysisError(
                Problem("rows_dependent", "A combination to be tested follows from the others.", "Leave it out.")
            )
        if self._precision is None:
            return WaldTest(
                statistic=float("nan"), df_numerator=len(matrix), df_denominator=float("nan"), p_value=float("nan")
            )
        internal: Array = np.linalg.solve(self._parts.basis.to_asked, self.coefficients) / self._parts.spread
        return self._precision.test(internal, matrix @ self._parts.basis.to_asked)

    def joint_tests(self) -> pd.DataFrame:
        """Test each term as a whole: all of its coefficients are zero.

        Returns
        -------
        DataFrame
            term, statistic (F, or chi-square over its degrees under z), df_numerator, df_denominator, p_value. Under
            treatment coding a main effect beside its product is that at the reference level.
        """
        names = {column.name: column.term for column in self.design.columns}
        rows = []
        for term in self.design.terms:
            mine = [place for place, name in enumerate(self.terms) if names[name] == term]
            if mine:
                found = self.test(np.eye(len(self.terms))[mine])
                rows.append(
                    {
                        "term": term,
                        "statistic": found.statistic,
                        "df_numerator": found.df_numerator,
                        "df_denominator": found.df_denominator,
                        "p_value": found.p_value,
                    }
                )
        return pd.DataFrame(rows, columns=["term", "statistic", "df_numerator", "df_denominator", "p_value"])

    def marginal_means(
        self,
        by: str | Sequence[str],
        *,
        at: Mapping[str, float] | None = None,
        weights: Literal["equal", "observed"] = "equal",
    ) -> MarginalMeans:
        """Return model means on a grid of factors; see `analysis.mixed_models.marginal_means`.

        Parameters
        ----------
        by : str or sequence of str
            Factors of the model whose levels, or combinations of levels, have a mean each.
        at : mapping, optional
            Number -> value; other numbers are at their mean over rows.
        weights : {"equal", "observed"}
            How the levels of the other factors are averaged.

        Raises
        ------
        AnalysisError
            A name is no factor of the model, or no number.
        """
        return marginal_means(self, (by,) if isinstance(by, str) else tuple(by), at=at or {}, weights=weights)

    def tidy(self) -> pd.DataFrame:
        """Return one row per coefficient: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high."""
        return tidy_estimates({"term": list(self.terms)}, [self.estimate(row) for row in np.eye(len(self.terms))])

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row: likelihood, information criteria, sizes, and how the optimisation ended."""
        count = len(self._parts.optimum.working)
        parameters = count + (len(self.terms) if self.method == "ml" else 0)
        return pd.DataFrame(
            [
                {
                    "model": self.kind,
                    "covariance": self.optimisation.covariance,
                    "method": self.method,
                    "df_method": self.robust_kind or self.df_method,
                    "log_likelihood": self.log_likelihood,
                    "aic": 2.0 * parameters - 2.0 * self.log_likelihood,
                    "bic": parameters * np.log(self.n_participants) - 2.0 * self.log_likelihood,
                    "n_covariance_parameters": count,
                    "n_rows": self.n_rows,
                    "n_participants": self.n_participants,
                    "converged": self.optimisation.converged,
                    "is_singular": self.optimisation.is_singular,
                    "gradient_norm": self.optimisation.gradient_norm,
                    "n_iterations": self.optimisation.n_iterations,
                }
            ]
        )

    @property
    def covariance(self) -> dict[str, pd.DataFrame]:
        """Covariance of the scores of a participant over the timepoints, by stratum ("" without)."""
        parts = self._parts
        if not isinstance(parts.base, PatternBase):
            return {}
        labels = list(self.design.timepoints)
        ones = np.ones((len(parts.strata), len(labels)))
        with np.errstate(all="ignore"):
            found = parts.base.model.cells(parts.optimum.theta, np.arange(len(parts.strata)), ones, 0)[()]
        found = found if self.converged else np.full_like(found, np.nan)
        return {
            stratum: pd.DataFrame(parts.spread**2 * matrix, index=labels, columns=labels)
            for stratum, matrix in zip(parts.strata, found, strict=True)
        }

    def variance_components(self) -> pd.DataFrame:
        """Return natural parameters of the covariance with intervals (95 %).

        Returns
        -------
        DataFrame
            component, estimate, std_error, conf_low, conf_high: variances and covariances in squared units of the
            outcome (and of time), correlations as they are. Wald intervals, on the logarithmic scale for variances
            and on Fisher's scale for correlations; none at the border.
        """
        return variance_components(self._parts)

    def icc(self) -> pd.DataFrame:
        """Return intraclass correlations of a model with random effects.

        Returns
        -------
        DataFrame
            level, icc (share of the variance at time zero), mean_size (participants per group, weighted by size; rows
            per participant on the lowest level) and informative: as many independent participants (or rows) as the
            level's sample is worth, n / (1 + (mean_size - 1) icc).
        """
        return intraclass_correlations(self._parts)

    def random_effects(self) -> pd.DataFrame:
        """Predict random effects (best linear unbiased): level, label, term, estimate, in units of the outcome.

        Raises
        ------
        AnalysisError
            The model has none, or the fit was made from moments alone.
        """
        return predict_random_effects(self._parts)

    def augment(self) -> pd.DataFrame:
        """Return one row per row of the model, with its position in the frame.

        Returns
        -------
        DataFrame
            row (position), participant, observed, fitted (marginal), residual, fitted_conditional and
            residual_conditional (with random effects; as marginal in an MMRM), residual_scaled (marginal, whitened by
            the fitted covariance within participants; near standard normal where the model holds).

        Raises
        ------
        AnalysisError
            The fit was made from moments alone.
        """
        return augment_rows(self._parts)

    def words(self) -> str:
        """Return the model in one sentence."""
        what = {
            "mmrm": f"Mixed model for repeated measures with {self.optimisation.covariance} covariance",
            "mixed_model": "Linear mixed model",
        }[self.kind]
        by = "restricted maximum likelihood" if self.method == "reml" else "maximum likelihood"
        robust = f"cluster-robust standard errors ({self.robust_kind}), degrees of freedom after Bell and McCaffrey"
        said = [f"{what} by {by}", robust if self.robust_kind else DF_WORDS[self.df_method]]
        if self.optimisation.is_singular:
            said.append("a variance was estimated as zero")
        if self.dropped_terms:
            said.append(f"left out because they add nothing: {', '.join(self.dropped_terms)}")
        return "; ".join(said) + "."

    def __repr__(self) -> str:
        """Return the fit as text for a supplement."""
        verdict = "converged" if self.optimisation.converged else "NOT CONVERGED: no estimate may be used"
        groups = "".join(f", {count} {name}" for name, count in self.n_groups.items())
        left_out = "".join(f"; left out: {count} rows, {reason}" for reason, count in self.dropped_rows.items())
        return "\n".join(
            [
                self.words(),
                f"{self.n_rows} rows, {self.n_participants} participants{groups}{left_out}",
                f"log-likelihood {self.log_likelihood:.4f}; {verdict} ({self.optimisation.optimiser}, "
                f"{self.optimisation.n_iterations} steps, decrement {self.optimisation.gradient_norm:.1e})",
                "",
                self.tidy().to_string(index=False, float_format=lambda value: f"{value:.4g}"),
                "",
                self.variance_components().to_string(index=False, float_format=lambda value: f"{value:.4g}"),
            ]
        )


def tidy_estimates(names: Mapping[str, Sequence[object]], estimates: Sequence[Estimate]) -> pd.DataFrame:
    """Return columns of names beside estimate, std_error, df, statistic, p_value, conf_low, conf_high."""
    return pd.DataFrame(
        {
            **names,
            "estimate": [each.value for each in estimates],
            "std_error": [each.std_error for each in estimates],
            "df": [each.df for each in estimates],
            "statistic": [each.statistic for each in estimates],
            "p_value": [each.p_value for each in estimates],
            "conf_low": [each.conf_low for each in estimates],
            "conf_high": [each.conf_high for each in estimates],
        }
    )
