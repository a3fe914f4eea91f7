"""What must be refused before marginal models are fitted: outcomes they are not for, and data that cannot tell.

Separation (Albert and Anderson 1984, doi 10.1093/biomet/71.1.1): a direction in which the linear predictor can grow
for ever while no row is predicted worse. It is found by linear programming after Konis 2007, DPhil thesis, University
of Oxford, https://ora.ox.ac.uk/objects/uuid:8f9ee0d0-d78e-4101-9ab4-f9cbceed2a2a, before anything is fitted: iterations
that stop somewhere on such a way look like convergence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy import optimize

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Array, Codes
from data_contracts.errors import Problem

Family = Literal["binary", "ordinal", "count"]
FEWEST_LEVELS: Final = 3
MOST_LEVELS: Final = 10
"""Of an ordinal outcome: each level but one costs a coefficient."""
FEASIBLE: Final = 1e-9
"""How far the solver may overstep a constraint; columns have a mean square of one."""
SLACK: Final = 1e-6
"""A margin below this is nothing but what the solver may overstep."""
ALONE: Final = 1e-9
"""A cluster whose share of a direction falls short of all of it by less than this has all of it."""


def read_outcome(frame: pd.DataFrame, outcome: str, family: Family) -> tuple[pd.DataFrame, tuple[float, ...]]:
    """Return a frame with the outcome as numbers, and the levels that it may have (none of a count).

    Parameters
    ----------
    frame : DataFrame
        With the column `outcome`. It is not changed.
    outcome : str
        Numbers or booleans; or, for an ordinal outcome, ordered categories: their own numbers if they are numbers, else
        1, 2, 3 and so on.
    family : {"binary", "ordinal", "count"}
        What the outcome is said to be.

    Raises
    ------
    AnalysisError
        The outcome is not what `family` says.
    """
    column = frame[outcome]
    levels: tuple[float, ...] = ()
    if family == "ordinal" and isinstance(column.dtype, pd.CategoricalDtype):
        if not column.cat.ordered:
            raise _refuse(
                "outcome_not_ordered",
                f"The categories of '{outcome}' have no order.",
                "Say their order: pandas.CategoricalDtype(levels, ordered=True).",
            )
        names = column.cat.categories
        is_number = pd.api.types.is_numeric_dtype(names.dtype)
        levels = tuple(float(name) for name in names) if is_number else tuple(range(1, len(names) + 1))
        codes = column.cat.codes.to_numpy()
        values = np.where(codes >= 0, np.array([*levels, np.nan])[codes], np.nan)
    elif pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=float, na_value=np.nan)
    else:
        raise _refuse(
            "outcome_not_numeric",
            f"'{outcome}' holds no numbers.",
            "Code it: 0 and 1 for a binary outcome; ordered categories, or whole numbers, for an ordinal one.",
        )
    known = values[np.isfinite(values)]
    if family == "binary":
        if not np.isin(known, (0.0, 1.0)).all():
            raise _refuse(
                "outcome_not_binary",
                f"'{outcome}' holds values other than 0 and 1.",
                "Code no as 0 and yes as 1, or choose family='ordinal' or 'count'.",
            )
        levels = (0.0, 1.0)
    elif family == "count":
        if (known < 0).any() or (known != np.floor(known)).any():
            raise _refuse(
                "outcome_not_counted",
                f"'{outcome}' holds values that are negative or not whole, so it is no count.",
                "Check how missing values are coded; analyse a score with fit_mmrm.",
            )
    elif not levels and len(known):
        levels = _whole_levels(known, outcome)
    if family == "ordinal" and len(known) and np.ptp(known) > 0:
        _check_number(len(levels), outcome)
    return frame.assign(**{outcome: values}), levels


def check_levels(values: Array, levels: Sequence[float], outcome: str) -> None:
    """Refuse an outcome that is constant, or of which nobody in the model has one of the levels."""
    if np.ptp(values) == 0:
        raise _refuse(
            "constant_outcome",
            f"'{outcome}' is the same on every row of the model.",
            "Check how it was coded, or choose another timepoint.",
        )
    if not np.isin(levels, values).all():
        raise _refuse(
            "level_nobody_has",
            f"'{outcome}' has a level that nobody in the model has.",
            "Merge it with the next one, or number the levels one after another.",
        )


def check_clusters(design: Array, cluster: Codes, names: Sequence[str], n_coefficients: int) -> None:
    """Refuse fewer clusters than coefficients + 2, and coefficients that rest on a single cluster.

    Without its only cluster such a coefficient has no estimate, so nothing is known of how it varies between clusters;
    the bias-reduced covariance divides by zero there.

    Parameters
    ----------
    design : (n, p) array
        Independent columns.
    cluster : (n,) array of int
        Codes 0, 1, 2 and so on.
    names : sequence of str
        Of the columns.
    n_coefficients : int
        Of the model; more than p for an ordinal outcome.
    """
    n_clusters = int(cluster.max()) + 1
    if n_clusters < n_coefficients + 2:
        raise _refuse(
            "too_few_clusters",
            f"There are {n_clusters} clusters for {n_coefficients} coefficients.",
            f"Take terms out, or collect more data: {n_coefficients + 2} clusters are the fewest.",
        )
    orthogonal, triangular = np.linalg.qr(design)
    order = np.argsort(cluster, kind="stable")
    pieces = np.split(orthogonal[order], np.flatnonzero(np.diff(cluster[order])) + 1)
    for piece in pieces:
        _, shares, directions = np.linalg.svd(piece, full_matrices=False)
        if shares[0] ** 2 > 1.0 - ALONE:
            found = _named(np.linalg.solve(triangular, directions[0]), names)
            raise _refuse(
                "one_cluster_alone",
                f"One cluster alone tells of {found}, so nothing is known of how that varies between clusters.",
                "Merge levels, or leave it out.",
            )


def check_separation(design: Array, values: Array, levels: Sequence[float], names: Sequence[str]) -> None:
    """Refuse data from which some coefficient has no finite estimate.

    Binary: complete or quasi-complete separation. Ordinal: the same over all cuts at once, as they share their
    coefficients; a single cut that is separated does no harm. Count: a combination of columns that only rows with a
    count of zero have (Santos Silva and Tenreyro 2010, doi 10.1016/j.econlet.2010.02.020). The estimates in question
    are those under working independence, which are maximum likelihood; another working correlation adds no information.

    Parameters
    ----------
    design : (n, p) array
        Independent columns, the constant first.
    values : (n,) array
        Outcome.
    levels : sequence of float
        Of the outcome, in order; empty for a count.
    names : sequence of str
        Of the columns.
    """
    if levels:
        pieces = []
        for place, cut in enumerate(levels[:-1]):
            intercepts = np.zeros((len(design), len(levels) - 1))
            intercepts[:, place] = 1.0
            sign = np.where(values > cut, 1.0, -1.0)[:, None]
            pieces.append(sign * np.column_stack([intercepts, design[:, 1:]]))
        rows, equal = np.concatenate(pieces), np.zeros((0, pieces[0].shape[1]))
    else:
        _, sizes, directions = np.linalg.svd(np.linalg.qr(design[values > 0], mode="r"))
        rank = int((sizes > SLACK * sizes[0]).sum())
        if rank == design.shape[1]:
            return
        rows, equal = -design[values == 0], directions[:rank]
    direction = _separating(np.unique(rows, axis=0), equal)
    if direction is not None:
        found = _named(direction[max(len(levels) - 2, 0) :], names)
        what = "predicts that outcome without error" if levels else "only goes with a count of zero"
        raise _refuse(
            "separation",
            f"On some rows {found} {what}, so it has no finite estimate (separation).",
            "Leave a covariate out, merge levels, or choose another timepoint.",
        )


def _separating(rows: Array, equal: Array) -> Array | None:
    """Return d with rows d >= 0 but not all zero, and equal d = 0; of as few columns as may be. None without such."""
    limits = {"primal_feasibility_tolerance": FEASIBLE, "dual_feasibility_tolerance": FEASIBLE}
    zeros, still = np.zeros(len(rows)), np.zeros(len(equal))
    found = optimize.linprog(
        -rows.mean(axis=0), A_ub=-rows, b_ub=zeros, A_eq=equal, b_eq=still, bounds=(-1.0, 1.0), options=limits
    )
    if found.status != 0:
        raise _refuse(
            "separation_unknown",
            "Whether the outcome is separated could not be found out.",
            "Bring numbers to similar sizes, or leave a covariate out.",
        )
    if (rows @ found.x).max() <= SLACK:
        return None
    both, fixed = np.hstack([rows, -rows]), np.hstack([equal, -equal])
    shortest = optimize.linprog(
        np.ones(both.shape[1]),
        A_ub=-both,
        b_ub=zeros,
        A_eq=np.vstack([fixed, both.mean(axis=0)]),
        b_eq=np.append(still, 1.0),
        options=limits,
    )
    direction: Array = found.x
    if shortest.status == 0:
        direction = shortest.x[: rows.shape[1]] - shortest.x[rows.shape[1] :]
    return direction


def _named(direction: Array, names: Sequence[str]) -> str:
    """Return the columns of a direction, the constant (the first) only where it is alone."""
    large = np.abs(direction) > SLACK * np.abs(direction).max()
    chosen = [name for name, use in zip(names[1:], large[1:], strict=True) if use] or [names[0]]
    together = "the combination of " if len(chosen) > 1 else ""
    return together + ", ".join(f"'{name}'" for name in chosen)


def _whole_levels(known: Array, outcome: str) -> tuple[float, ...]:
    """Return every whole number from the lowest to the highest value."""
    if (known != np.floor(known)).any():
        raise _refuse(
            "outcome_not_ordinal",
            f"'{outcome}' holds numbers that are not whole, so they are no levels.",
            "Number the levels one after another, or give ordered categories.",
        )
    _check_number(len(np.unique(known)), outcome, fewest=1)
    low, high = known.min(), known.max()
    if high - low >= MOST_LEVELS:
        raise _refuse(
            "level_nobody_has",
            f"'{outcome}' leaves out levels between its lowest and its highest.",
            "Number the levels one after another.",
        )
    return tuple(float(level) for level in np.arange(low, high + 1.0))


def _check_number(count: int, outcome: str, fewest: int = FEWEST_LEVELS) -> None:
    if not fewest <= count <= MOST_LEVELS:
        raise _refuse(
            "number_of_levels",
            f"'{outcome}' has {count} levels; an ordinal outcome has {FEWEST_LEVELS} to {MOST_LEVELS}.",
            "Choose family='binary' for two, merge levels, or analyse a score with fit_mmrm.",
        )


def _refuse(code: str, message: str, how_to_fix: str) -> AnalysisError:
    return AnalysisError(Problem(code, message, how_to_fix))
