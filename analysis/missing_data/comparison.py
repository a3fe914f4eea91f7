"""What is asked of completed data: means of arms and their differences, by least squares at every timepoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data.panel import COMPARE, Compare, Panel
from analysis.mixed_models.jets import Array, Codes, Mask
from data_contracts.errors import Problem, choose_from

SINGULAR: Final = 1e-10
"""Smallest eigenvalue, relative to the largest, of cross products whose columns are not the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fits:
    """Least squares of scores, and of what a point of delta adds to them, at every timepoint.

    Attributes
    ----------
    values : (rows, T, 1 + arms) array
        What is asked: of the completed scores, and per point added to the imputed scores of each arm.
    scaled : (rows,) array
        Variance of each over the residual variance.
    residuals : (T, 1 + arms, 1 + arms) array
        Cross products of the residuals.
    freedom : int
        Degrees of freedom that they have.
    """

    values: Array
    scaled: Array
    residuals: Array
    freedom: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A linear model of completed scores.

    Attributes
    ----------
    names : DataFrame
        A row for everything that is asked: ``statistic`` (mean, difference), ``arm`` or ``contrast``.
    compare : {"ancova", "change"}
        Scores given baseline, or changes from baseline.
    """

    names: pd.DataFrame
    compare: Compare
    _design: Array
    _targets: Array
    _start: Array
    _arm: Codes

    @classmethod
    def of(cls, panel: Panel, *, compare: Compare, contrasts: Sequence[tuple[str, str]] | None = None) -> Self:
        """Set up the model: 1, arms, baseline (under ``ancova``) and covariates.

        Parameters
        ----------
        panel : Panel
            Participants.
        compare : {"ancova", "change"}
            See `Comparison`.
        contrasts : sequence of (str, str), optional
            First arm less second; by default every arm less the reference.

        Raises
        ------
        AnalysisError
            An arm is unknown, or a covariate is constant or follows from others.
        """
        if compare not in COMPARE:
            advice = choose_from(str(compare), COMPARE)
            raise AnalysisError(Problem("compare_unknown", f"There is no comparison '{compare}'.", advice))
        pairs = [(arm, panel.arms[0]) for arm in panel.arms[1:]] if contrasts is None else list(contrasts)
        for name in (name for pair in pairs for name in pair if name not in panel.arms):
            raise AnalysisError(Problem("arm_unknown", f"There is no arm '{name}'.", choose_from(name, panel.arms)))
        others = [panel.baseline] if compare == "ancova" else []
        others += [column for name in panel.covariates for column in _columns(panel.covariates[name])]
        dummies = (panel.arm[:, None] == np.arange(len(panel.arms))).astype(float)
        design = np.column_stack([dummies, *(_standardised(column) for column in others)])
        at = np.zeros((len(panel.arms) + len(pairs), design.shape[1]))
        at[: len(panel.arms), : len(panel.arms)] = np.eye(len(panel.arms))
        for row, pair in enumerate(pairs):
            first, second = (panel.arms.index(name) for name in pair)
            at[len(panel.arms) + row, [first, second]] += np.array([1.0, -1.0])
        names = [{"statistic": "mean", "arm": arm, "contrast": ""} for arm in panel.arms]
        names += [{"statistic": "difference", "arm": "", "contrast": " - ".join(pair)} for pair in pairs]
        start = panel.baseline if compare == "change" else np.zeros(panel.n_participants)
        return cls(
            names=pd.DataFrame(names), compare=compare, _design=design, _targets=at, _start=start, _arm=panel.arm
        )

    def fit(self, completed: Array, imputed: Mask, people: Codes | slice = slice(None)) -> Fits:
        """Fit the model to the completed scores of some participants.

        Parameters
        ----------
        completed : (n, T) array
            Scores without a gap.
        imputed : (n, T) array of bool
            Which of them were imputed.
        people : array of int, optional
            Places of the participants; means of arms are at their mean baseline and covariates.
        """
        design = self._design[people]
        arms = self._arm[people][:, None] == np.arange(int(self._arm.max()) + 1)
        shifts = imputed[people][:, :, None] & arms[:, None, :]
        scores = (completed - self._start[:, None])[people]
        stacked = np.concatenate([scores[:, :, None], shifts.astype(float)], axis=2)
        flat = stacked.reshape(len(design), -1)
        gram = design.T @ design
        check_gram(gram)
        targets = self._targets.copy()
        n_arms = arms.shape[1]
        targets[:n_arms, n_arms:] = design[:, n_arms:].mean(axis=0)
        coefficients = np.linalg.solve(gram, design.T @ flat)
        left = (flat - design @ coefficients).reshape(stacked.shape)
        return Fits(
            values=(targets @ coefficients).reshape(len(targets), *stacked.shape[1:]),
            scaled=np.einsum("cq,qc->c", targets, np.linalg.solve(gram, targets.T)),
            residuals=np.einsum("nta,ntb->tab", left, left),
            freedom=len(design) - design.shape[1],
        )


def check_gram(gram: Array) -> None:
    """Refuse cross products of columns of which one follows from others."""
    size = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    values = np.linalg.eigvalsh(gram / np.outer(size, size))
    if values[0] < SINGULAR * values[-1]:
        raise AnalysisError(
            Problem(
                "comparison_not_estimable",
                "A covariate of the comparison is constant or follows from others, or an arm is left with nobody.",
                "Take the covariate out, merge rare levels, or collect more data.",
            )
        )


def _columns(values: pd.Series) -> list[Array]:
    """Return a covariate as columns: itself, or an indicator of every level in use but the first."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return [values.to_numpy(dtype=float)]
    codes = pd.factorize(values.astype(str), sort=True)[0]
    return [(codes == level).astype(float) for level in range(1, int(codes.max()) + 1)]


def _standardised(values: Array) -> Array:
    """Return values about their mean, in units of their spread; zeros where there is none."""
    spread = float(values.std())
    found: Array = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return found
