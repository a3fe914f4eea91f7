"""The model that missing scores are imputed from: an MMRM, fitted to everybody, without some, or drawn at random.

score ~ arm * timepoint + baseline * timepoint + covariates, one residual covariance over the timepoints for all arms.
Leaving people out is a subtraction from the moments and a few Newton steps from the optimum of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data.panel import Panel, check_cells
from analysis.mixed_models import Moments, ancova_terms, refit_mmrm
from analysis.mixed_models.arrange import Arranged, arrange
from analysis.mixed_models.bases import PatternBase, ResidualModel
from analysis.mixed_models.basis import Basis, independent_columns
from analysis.mixed_models.covariance import Structure, Unstructured, choose_structure, compose
from analysis.mixed_models.inference import inverse
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.likelihood import evaluate
from analysis.mixed_models.optimise import Optimum, find_optimum
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.terms import Design
from data_contracts.errors import Problem

LADDER: Final = ("us", "toeph", "csh", "cs")
"""Covariances that are tried in turn, as the plan's models do."""
_ROLES: Final = Roles(outcome="score", participant="participant", timepoint="timepoint")
_REPRODUCED: Final = 1e-8
"""Largest error, relative to a column, of a column that others stand in for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameters:
    """Means (n, T) of every participant in the own arm and in the reference arm, and their covariance (T, T)."""

    own: Array
    reference: Array
    covariance: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImputationModel:
    """A fitted imputation model.

    Attributes
    ----------
    covariance : str
        The step of the ladder that was taken.
    """

    covariance: str
    _arranged: Arranged
    _moments: Moments
    _optimum: Optimum
    _base: PatternBase
    _columns: Codes
    _spread: float
    _own: Array
    _reference: Array

    @classmethod
    def fit(cls, panel: Panel, *, covariance: Sequence[str] = LADDER) -> Self:
        """Fit the model to the scores that the strategies of the panel let it learn from.

        Parameters
        ----------
        panel : Panel
            Participants by timepoint.
        covariance : sequence of str
            As in `fit_mmrm`: a ladder, of which the first that converges is taken.

        Raises
        ------
        AnalysisError
            The model cannot be fitted (see `fit_mmrm`), or says nothing about somebody's missing scores.
        """
        check_cells(panel)
        _check_levels(panel)
        names, terms = _terms(panel)
        long = _lengthen(panel, names)
        references = {"arm": panel.arms[0]} if len(panel.arms) > 1 else {}
        arranged = arrange(long.loc[panel.modelled.ravel()], terms, _ROLES, references=references)
        moments = Moments.of(arranged, _ROLES)
        fit = refit_mmrm(moments, covariance=covariance, df_method="z")
        _require_converged(fit.converged)
        kind = fit.optimisation.covariance
        found = fit.covariance[""].to_numpy()
        spread = float(np.sqrt(np.diag(found).mean()))
        base = _base(moments, kind)
        basis = Basis.of(moments.design, base.gram())
        base.select(basis.columns, spread)
        optimum = _optimise(base, _structure(kind, len(panel.timepoints)).start(found / spread**2), kind)
        _require_converged(optimum.record.converged)
        full = long.assign(score=0.0)
        return cls(
            covariance=kind,
            _arranged=arranged,
            _moments=moments,
            _optimum=optimum,
            _base=base,
            _columns=basis.columns,
            _spread=spread,
            _own=_design_of(full, terms, moments.design, basis),
            _reference=_design_of(full.assign(arm=_as_arm(full, panel.arms[0])), terms, moments.design, basis),
        )

    def parameters(self) -> Parameters:
        """Return what the model fitted to everybody says."""
        return self._said(self._optimum.evaluation.coefficients, self._optimum.theta)

    def without(self, people: Codes) -> Parameters:
        """Return what the model says when it is fitted without some participants.

        Raises
        ------
        AnalysisError
            Without them there is nothing to tell a coefficient or the covariance by.
        """
        gone = np.isin(self._arranged.participants, people)
        if not gone.any():
            return self.parameters()
        rest = subtract_moments(self._moments, Moments.of(_only(self._arranged, np.flatnonzero(gone)), _ROLES))
        base = _base(rest, self.covariance)
        base.select(self._columns, self._spread)
        size = len(self._columns)
        optimum = None
        if len(independent_columns(base.gram(), np.arange(size))) == size:
            optimum = _optimise(base, self._optimum.working, self.covariance)
        if optimum is None or not optimum.record.converged:
            raise AnalysisError(
                Problem(
                    "leaving_out_failed",
                    "The imputation model hangs on a single participant or group: without, it cannot be fitted.",
                    "Merge rare levels of covariates, take covariates out, or impute several times.",
                )
            )
        return self._said(optimum.evaluation.coefficients, optimum.theta)

    def draw(self, rng: np.random.Generator) -> Parameters:
        """Return parameters drawn from their approximate posterior.

        The covariance is normal in its unconstrained parameters about the restricted maximum, with twice the inverse
        Hessian as its covariance; the coefficients, given the covariance, are exactly normal (flat prior).
        """
        optimum = self._optimum
        root = np.linalg.cholesky(2.0 * inverse(optimum.hessian))
        working = optimum.working + root @ rng.standard_normal(len(root))
        theta = compose(self._base.model.blocks, working)[0]
        found = evaluate(self._base, theta, restricted=True, order=0)
        spread = np.linalg.cholesky(found.unscaled)
        return self._said(found.coefficients + spread @ rng.standard_normal(len(spread)), theta)

    def _said(self, coefficients: Array, theta: Array) -> Parameters:
        timepoints = self._own.shape[1]
        covariance = self._base.model.cells(theta, np.zeros(1, dtype=np.int64), np.ones((1, timepoints)), 0)[()][0]
        centre = self._moments.design.outcome_centre
        return Parameters(
            own=self._own @ (self._spread * coefficients) + centre,
            reference=self._reference @ (self._spread * coefficients) + centre,
            covariance=self._spread**2 * covariance,
        )


def subtract_moments(whole: Moments, part: Moments) -> Moments:
    """Return the moments of the participants that are in the whole and not in the part, without groups.

    Raises
    ------
    AnalysisError
        The part is none of the whole: other columns, or participants observed as nobody in the whole is.
    """
    where = {tuple(cell): place for place, cell in enumerate(whole.cells.tolist())}
    places = [where.get(tuple(cell), -1) for cell in part.cells.tolist()]
    products = whole.products.copy()
    is_part = whole.design == part.design and whole.roles == part.roles and min(places) >= 0
    if is_part:
        products[places] -= part.products
    left = np.rint(products[:, 0, 0])
    if not is_part or whole.groups or (left < 0).any():
        raise AnalysisError(
            Problem("moments_differ", "These moments are no part of the others.", "Build both from the same frame.")
        )
    return replace(whole, cells=whole.cells[left > 0], products=products[left > 0])


def _terms(panel: Panel) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return covariate -> column of the long frame, and the terms of the model."""
    names = {name: f"covariate {place}" for place, name in enumerate(panel.covariates)}
    terms = ancova_terms("arm", "timepoint", "baseline", tuple(names.values()))
    if len(panel.arms) == 1:
        terms = tuple(term for term in terms if "arm" not in term.split(":"))
    return names, terms


def _lengthen(panel: Panel, names: dict[str, str]) -> pd.DataFrame:
    """Return a row per participant and timepoint, also where there is no score."""
    count = len(panel.timepoints)
    people = pd.DataFrame(
        {
            "participant": np.arange(panel.n_participants),
            "arm": pd.Categorical.from_codes(panel.arm, categories=list(panel.arms)),
            "baseline": panel.baseline,
        }
    ).assign(**{name: panel.covariates[column] for column, name in names.items()})
    long = people.loc[people.index.repeat(count)].reset_index(drop=True)
    places = np.tile(np.arange(count), panel.n_participants)
    labels = pd.Categorical.from_codes(places, categories=list(panel.timepoints), ordered=True)
    return long.assign(timepoint=labels, score=panel.scores.ravel())


def _as_arm(frame: pd.DataFrame, arm: str) -> pd.Categorical:
    """Return a column that has everybody in one arm."""
    return pd.Categorical([arm] * len(frame), categories=frame["arm"].cat.categories)


def _design_of(frame: pd.DataFrame, terms: Sequence[str], design: Design, basis: Basis) -> Array:
    """Return X (n, T, p) of every participant and timepoint, after checking that the columns left out go unsaid."""
    whole = arrange(frame, terms, _ROLES, design=design).matrix()[..., :-1]
    kept = whole[..., basis.columns]
    error = np.abs(whole - kept @ basis.by_kept).max(axis=(0, 1))
    if (error > _REPRODUCED * np.maximum(np.abs(whole).max(axis=(0, 1)), 1.0)).any():
        raise _not_estimable("A covariate")
    found: Array = kept
    return found


def _check_levels(panel: Panel) -> None:
    """Refuse a level, or a covariate that varies at all, only among people with no score to learn from."""
    learned = panel.modelled.any(axis=1)
    for name, values in panel.covariates.items():
        known = set(values[learned])
        is_number = pd.api.types.is_numeric_dtype(values.dtype)
        if set(values) - known and (len(known) == 1 or not is_number):
            raise _not_estimable(f"'{name}'")


def _not_estimable(what: str) -> AnalysisError:
    """Return the error of somebody of whom the model knows nothing."""
    return AnalysisError(
        Problem(
            "not_estimable",
            f"{what} tells somebody whose scores are all missing from everybody whose scores are not.",
            "Merge rare levels, or take the covariate out.",
        )
    )


def _base(moments: Moments, kind: str) -> PatternBase:
    timepoints = len(moments.design.timepoints)
    return PatternBase(moments, ResidualModel(_structure(kind, timepoints), 1), (), np.ones((timepoints, 1)))


def _structure(kind: str, timepoints: int) -> Structure:
    return choose_structure(kind, timepoints) if timepoints > 1 else Unstructured(1)


def _require_converged(converged: bool) -> None:
    if not converged:
        advice = "Take covariates out, or look at the data for values that cannot be."
        raise AnalysisError(Problem("not_converged", "The imputation model did not converge.", advice))


def _optimise(base: PatternBase, start: Array, kind: str) -> Optimum:
    return find_optimum(base, base.model.blocks, [start], restricted=True, covariance=kind)


def _only(arranged: Arranged, places: Codes) -> Arranged:
    """Return some of the participants."""
    return replace(
        arranged,
        outcome=arranged.outcome[places],
        mask=arranged.mask[places],
        constant=arranged.constant[places],
        varying=arranged.varying[places],
        strata=arranged.strata[places],
        participants=arranged.participants[places],
        rows=arranged.rows[places],
    )
