"""The columns that a model is fitted to, and how what is found for them becomes what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.terms import Design
from data_contracts.errors import Problem, choose_from

ALIASED: Final = 1e-10
"""A column of which less than this share of its squared length is new, given those before it, is left out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """Independent columns of a design.

    Attributes
    ----------
    names, dropped : tuple of str
        Columns kept, and left out because those before them say the same.
    columns : (p,) array of int
        Places of those kept.
    to_asked : (p, p) array
        Coefficients of the columns kept, as they are arranged (numbers centred) -> coefficients of those asked for.
    by_kept : (p, columns) array
        Every arranged column from those kept.
    aliases : (p, dropped) array
        Columns left out, as asked for, from those kept as asked for.
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    columns: Codes
    to_asked: Array
    by_kept: Array
    aliases: Array

    @classmethod
    def of(cls, design: Design, gram: Array) -> Self:
        """Find the basis from the cross products [X y]'[X y] of a design."""
        degrees = np.array([len(column.parts) for column in design.columns])
        columns = independent_columns(gram, np.argsort(degrees, kind="stable"))
        everything = np.arange(len(design.columns))
        left_out = np.setdiff1d(everything, columns)
        by_kept = np.linalg.solve(gram[np.ix_(columns, columns)], gram[np.ix_(columns, everything)])
        whole = np.array(design.uncentred(design.columns) or np.eye(len(everything)))
        to_asked = np.linalg.inv(by_kept @ whole[columns].T)
        return cls(
            names=tuple(design.columns[place].name for place in columns),
            dropped=tuple(design.columns[place].name for place in left_out),
            columns=columns,
            to_asked=to_asked,
            by_kept=by_kept,
            aliases=to_asked @ by_kept @ whole[left_out].T,
        )


def estimable_row(
    weights: Mapping[str, float] | Array, terms: Sequence[str], dropped: Sequence[str], said: Array
) -> Array:
    """Return weights for each of `terms`, after checking that those of left-out terms go without saying.

    Parameters
    ----------
    weights : mapping or array
        Term -> weight; or a weight for each of `terms`, or for each of `terms` and then of `dropped`.
    terms, dropped : sequence of str
        Coefficients of a model, and terms that it left out.
    said : (terms, dropped) array
        What weights of `terms` say of those left out.

    Raises
    ------
    AnalysisError
        A weight is for a term that the model does not have, or for one left out that others cannot stand in for.
    """
    every = [*terms, *dropped]
    if isinstance(weights, Mapping):
        unknown = [term for term in weights if term not in every]
        if unknown:
            raise AnalysisError(
                Problem("term_unknown", f"The model has no term '{unknown[0]}'.", choose_from(unknown[0], every))
            )
        weights = np.array([weights.get(term, 0.0) for term in every])
    weights = np.asarray(weights, dtype=float)
    if weights.shape not in ((len(terms),), (len(every),)):
        message = f"There are {len(terms)} coefficients, and weights of shape {weights.shape}."
        raise AnalysisError(Problem("weights_misshapen", message, "Give a weight for each, or a mapping of names."))
    kept, rest = np.split(weights, [len(terms)])
    for place, (term, weight) in enumerate(zip(dropped, rest, strict=False)):
        if not np.allclose(kept @ said[:, place], weight, atol=1e-8):
            raise AnalysisError(
                Problem(
                    "not_estimable",
                    f"The data say nothing about '{term}' apart from other terms, so this cannot be estimated.",
                    "Look for a combination of levels that nobody has, and ask for something else.",
                )
            )
    return kept


def independent_columns(gram: Array, order: Codes) -> Codes:
    """Return which columns of X, from [X y]'[X y], add something to those before them in `order`."""
    scale = np.sqrt(np.maximum(np.diag(gram)[:-1], 0.0))
    scaled = gram[:-1, :-1] / np.outer(np.where(scale > 0, scale, 1.0), np.where(scale > 0, scale, 1.0))
    kept: list[int] = []
    for column in (int(place) for place in order):
        if scale[column] == 0.0:
            continue
        inside = scaled[np.ix_(kept, kept)]
        shared = scaled[kept, column]
        new = 1.0 - (float(shared @ np.linalg.solve(inside, shared)) if kept else 0.0)
        if new > ALIASED:
            kept.append(column)
    return np.sort(np.array(kept, dtype=np.int64))
