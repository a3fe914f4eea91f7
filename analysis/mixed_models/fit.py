"""Fit a mixed model for repeated measures (MMRM) or a model with random effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.arrange import Arranged, arrange
from analysis.mixed_models.bases import (
    PatternBase,
    RandomModel,
    ResidualModel,
    RowBase,
    random_levels,
)
from analysis.mixed_models.basis import Basis
from analysis.mixed_models.covariance import STRUCTURES, Block, Unstructured, choose_structure, compose
from analysis.mixed_models.guards import (
    check_covariance,
    check_groups,
    check_identified,
    check_random_effects,
    check_residual_covariance,
    check_spread,
)
from analysis.mixed_models.inference import DfMethod, check_methods, choose
from analysis.mixed_models.jets import Array, Mask
from analysis.mixed_models.likelihood import Level
from analysis.mixed_models.model_fit import ModelFit, Parts
from analysis.mixed_models.moments import Moments, find_parents
from analysis.mixed_models.optimise import find_optimum
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.reshape import lengthen
from analysis.mixed_models.statsmodels_engine import ENGINES, find_with_statsmodels
from analysis.mixed_models.terms import Design
from analysis.mixed_models.threads import on_one_thread
from data_contracts.errors import Problem

Method = Literal["reml", "ml"]
Engine = Literal["peerimpact", "statsmodels"]
Random = Literal["intercept", "slope", "slope_uncorrelated"]
RANDOM: Final = ("intercept", "slope", "slope_uncorrelated")
TIMEPOINT: Final = "timepoint"


@on_one_thread
def fit_mmrm(
    frame: pd.DataFrame,
    *,
    outcome: str | Mapping[str, str],
    terms: Sequence[str],
    participant: str,
    timepoint: str = TIMEPOINT,
    covariance: str | Sequence[str] = "us",
    by_arm: str | None = None,
    method: Method = "reml",
    df_method: DfMethod = "kenward_roger",
    references: Mapping[str, str] | None = None,
    center: Sequence[str] = (),
) -> ModelFit:
    """Fit a mixed model for repeated measures: a residual covariance over planned timepoints, no random effects.

    y_i ~ N(X_i b, S[P_i, P_i]) for participant i with observed timepoints P_i.

    Parameters
    ----------
    frame : DataFrame
        Long: one row per participant and timepoint. Wide, where `outcome` is a mapping: one row per participant. Rows
        that lack the outcome or a term are left out and counted (`ModelFit.dropped_rows`); this is valid when
        outcomes are missing at random given what is in the model.
    outcome : str or mapping
        Column of the outcome; or timepoint -> column, in time order.
    terms : sequence of str
        Fixed effects: columns and products ``a:b``; the intercept is always there. Text and categories are factors
        with a reference level. A product is that of the columns without reference levels, whatever else is in the
        model. Terms that add nothing are left out and named (`ModelFit.dropped_terms`).
    participant, timepoint : str
        Columns; categories of `timepoint` keep their order, other values are sorted. Always a factor.
    covariance : str or sequence of str
        One of us, toeph, toep, ar1h, ar1, csh, cs, adh, ad; or a ladder of them, of which the first that converges is
        taken, and said.
    by_arm : str, optional
        Column, constant within participants, by whose levels the covariance differs.
    method : {"reml", "ml"}
        ML only for likelihood-ratio tests of fixed effects.
    df_method : str
        ``kenward_roger``: observed information and natural parameters, as SAS ``ddfm=kr``. ``kenward_roger_linear``:
        without the term for structures that are not linear in their parameters, as SAS ``ddfm=kr(linear)`` and as
        mmrm's ``Kenward-Roger-Linear``. ``satterthwaite``; or ``z``, which is too narrow in small samples.
    references : mapping, optional
        Factor -> reference level; else the first category, or the first in sorted order.
    center : sequence of str
        Numbers to be taken less their mean over rows.

    Returns
    -------
    ModelFit
        `optimisation.converged` says whether it may be used; without, all of its estimates are NaN.

    Raises
    ------
    AnalysisError
        A column is missing or unusable, or something is not identified: the reason and the way out.
    """
    if not isinstance(outcome, str):
        frame, outcome = lengthen(frame, outcome, timepoint=timepoint), "outcome"
    roles = Roles(outcome=outcome, participant=participant, timepoint=timepoint, stratum=by_arm)
    arranged = arrange(frame, terms, roles, references=references, center=center)
    return _mmrm(Moments.of(arranged, roles), arranged, covariance, method, df_method)


@on_one_thread
def refit_mmrm(
    moments: Moments,
    *,
    covariance: str | Sequence[str] = "us",
    method: Method = "reml",
    df_method: DfMethod = "kenward_roger",
) -> ModelFit:
    """Fit an MMRM from moments alone; parameters as in `fit_mmrm`. What needs rows (residuals, CR2) it cannot give."""
    if moments.groups:
        raise AnalysisError(
            Problem("mmrm_with_groups", "An MMRM has no groups.", "Use refit_mixed_model, or sum without groups.")
        )
    return _mmrm(moments, None, covariance, method, df_method)


@on_one_thread
def fit_mixed_model(
    frame: pd.DataFrame,
    *,
    outcome: str | Mapping[str, str],
    terms: Sequence[str],
    participant: str,
    time: str | None = None,
    timepoint: str | None = None,
    random: Random = "intercept",
    groups: str | Sequence[str] | Mapping[str, str] = (),
    partially_nested: bool = False,
    residual_by: str | None = None,
    method: Method = "reml",
    df_method: DfMethod = "kenward_roger",
    engine: Engine = "peerimpact",
    references: Mapping[str, str] | None = None,
    center: Sequence[str] = (),
) -> ModelFit:
    """Fit a linear mixed model: random effects of participants, and of the groups that they are nested in.

    y = X b + (site) + (group) + Z u + e.

    Parameters
    ----------
    frame, outcome, terms, participant, method, references, center
        As in `fit_mmrm`.
    time : str, optional
        Numeric time, planned or actual; needed for a random slope. A few distinct values, each once per participant,
        are planned timepoints.
    timepoint : str, optional
        Column of the planned timepoint, where `time` does not say it; always a factor.
    random : {"intercept", "slope", "slope_uncorrelated"}
        Random effects of participants.
    groups : str, sequence or mapping
        Columns of the groups, from the lowest level up: ``("group", "site")``; or column -> "intercept", "slope" or
        "slope_uncorrelated". Nested, never crossed.
    partially_nested : bool
        Rows with an empty group share no group variance: people of an arm that does not meet, or occasions before
        the group met (Candlish et al. 2018, doi 10.1186/s12874-018-0559-x).
    residual_by : str, optional
        Column, constant within participants, by whose levels the residual variance differs.
    df_method : str
        As in `fit_mmrm`; Kenward-Roger with the expected information, as pbkrtest has it.
    engine : {"peerimpact", "statsmodels"}
        What finds the variances. ``statsmodels`` is MixedLM, an independent implementation to check against: slow,
        and for random intercepts of participants and one level of groups by REML only.

    Returns
    -------
    ModelFit
        See `fit_mmrm`. A variance of zero is an ordinary result, and said (`optimisation.is_singular`).

    Raises
    ------
    AnalysisError
        See `fit_mmrm`.
    """
    if not isinstance(outcome, str):
        timepoint = timepoint or TIMEPOINT
        frame, outcome = lengthen(frame, outcome, timepoint=timepoint), "outcome"
    kinds = _group_kinds(groups)
    choose("random", random, RANDOM)
    if time is None and {random, *kinds.values()} != {"intercept"}:
        raise AnalysisError(Problem("no_time", "A random slope needs a time.", "Name a numeric column: time='week'."))
    roles = Roles(
        outcome=outcome,
        participant=participant,
        timepoint=timepoint,
        groups=tuple(kinds),
        stratum=residual_by,
        partially_nested=partially_nested,
    )
    arranged = arrange(frame, terms, roles, references=references, center=center, time=time)
    moments = Moments.of(arranged, roles) if timepoint or arranged.design.times else None
    return _mixed(moments, arranged, random, kinds, method, df_method, engine)


@on_one_thread
def refit_mixed_model(
    moments: Moments,
    *,
    random: Random = "intercept",
    groups: Mapping[str, str] | None = None,
    method: Method = "reml",
    df_method: DfMethod = "kenward_roger",
) -> ModelFit:
    """Fit a mixed model from moments alone; parameters as in `fit_mixed_model`, groups those of the moments."""
    choose("random", random, RANDOM)
    given = _group_kinds(groups or {})
    for name in given:
        choose("groups", name, moments.roles.groups or ("none",))
    kinds = dict.fromkeys(moments.roles.groups, "intercept") | given
    return _mixed(moments, None, random, kinds, method, df_method)


def _mmrm(
    moments: Moments,
    arranged: Arranged | None,
    covariance: str | Sequence[str],
    method: Method,
    df_method: DfMethod,
) -> ModelFit:
    ladder = [covariance] if isinstance(covariance, str) else list(covariance)
    check_methods(method, df_method)
    timepoints = len(moments.design.timepoints)
    times = np.ones((timepoints, 1))
    problems: list[AnalysisError] = []
    fit: ModelFit | None = None
    for kind in ladder or ["none"]:
        choose("covariance", kind, STRUCTURES)
    for kind in ladder:
        structure = choose_structure(kind, timepoints) if timepoints > 1 else Unstructured(1)
        model = ResidualModel(structure, len(moments.strata))
        base = PatternBase(moments, model, (), times)
        basis, spread = _prepare(base, moments.design)
        unequal = np.linspace(0.8, 1.25, timepoints)
        somewhere = structure.start(np.outer(unequal, unequal) * (0.5 * np.eye(timepoints) + 0.5))
        theta = compose(model.blocks, np.tile(somewhere, len(moments.strata)))[0]
        names = [
            f"{name} {label}".strip() for label in moments.strata for name in structure.names(moments.design.timepoints)
        ]
        try:
            check_residual_covariance(moments, kind)
            check_covariance(*base.information(theta, restricted=method == "reml"), names)
        except AnalysisError as error:
            problems.append(error)
            continue
        start = np.concatenate([structure.start(matrix) for matrix in _residual_covariances(base)])
        optimum = find_optimum(
            base, model.blocks, [start, _flatter(start)], restricted=method == "reml", covariance=kind
        )
        parts = Parts(
            kind="mmrm",
            base=base,
            optimum=optimum,
            moments=moments,
            arranged=arranged,
            basis=basis,
            spread=spread,
            method=method,
            as_asked=np.eye(2),
        )
        fit = ModelFit.of(parts, df_method)
        if fit.optimisation.converged:
            return fit
    if fit is None:
        raise problems[0]
    return fit


def _mixed(
    moments: Moments | None,
    arranged: Arranged | None,
    random: Random,
    kinds: Mapping[str, str],
    method: Method,
    df_method: DfMethod,
    engine: Engine = "peerimpact",
) -> ModelFit:
    check_methods(method, df_method)
    choose("engine", engine, ENGINES)
    widths = [1 if kind == "intercept" else 2 for kind in (random, *kinds.values())]
    together = [kind != "slope_uncorrelated" for kind in (random, *kinds.values())]
    levels, variances = random_levels(widths, together)
    base: PatternBase | RowBase
    if moments is not None:
        design = moments.design
        if max(widths) > 1 and not moments.design.times:
            raise AnalysisError(Problem("no_time", "A random slope needs a time.", "Sum with time=<column>."))
        check_random_effects(moments.masks.sum(axis=1), moments.products[:, 0, 0], widths[0])
        for place, each in enumerate(moments.groups):
            working = moments.active(place)[each.cell].any(axis=1)
            check_groups(each.name, np.bincount(each.group[working], each.sums[working, 0]).astype(float))
        at = np.array(moments.design.times or np.zeros(len(moments.design.timepoints)))
        times, as_asked = _scaled_times(
            at, np.ones(at.shape, dtype=bool), slopes=max(widths) > 1, centred=all(together)
        )
        model = RandomModel(levels, variances, times, len(moments.strata))
        group_levels = [
            Level(each.name, each.labels, widths[1 + place], variances[1 + place], each.parents)
            for place, each in enumerate(moments.groups)
        ]
        base = PatternBase(moments, model, group_levels, times)
    else:
        assert arranged is not None  # noqa: S101 - without planned timepoints there are rows
        design = arranged.design
        rows = arranged.mask.sum(axis=1)
        check_random_effects(rows, np.ones(len(rows)), widths[0])
        for member in arranged.memberships:
            check_groups(member.name, np.bincount(member.codes[member.active.any(axis=1)]).astype(float))
        at = np.zeros(arranged.mask.shape) if arranged.times is None else arranged.times
        scaled, as_asked = _scaled_times(at, arranged.mask, slopes=max(widths) > 1, centred=all(together))
        model = RandomModel(levels, variances, scaled, len(arranged.stratum_labels))
        base = RowBase(arranged, model, _row_levels(arranged, widths, variances), scaled)
    basis, spread = _prepare(base, design)
    if engine == "statsmodels" and arranged is not None:
        if method != "reml" or max(widths) > 1:
            raise AnalysisError(
                Problem(
                    "statsmodels_cannot",
                    "The statsmodels engine knows random intercepts by REML only.",
                    "Choose engine='peerimpact', or a simpler model.",
                )
            )
        optimum = find_with_statsmodels(arranged, basis.columns, spread, base, model.blocks)
    else:
        shares = (0.5, 0.1, 0.9)
        starts = [np.concatenate([_random_start(levels, share), *_residual_start(model, share)]) for share in shares]
        optimum = find_optimum(base, model.blocks, starts, restricted=method == "reml", covariance=random)
    check_identified(optimum, _parameter_names(levels, kinds, model))
    parts = Parts(
        kind="mixed_model",
        base=base,
        optimum=optimum,
        moments=moments,
        arranged=arranged,
        basis=basis,
        spread=spread,
        method=method,
        as_asked=as_asked,
    )
    return ModelFit.of(parts, df_method)


def _parameter_names(levels: Sequence[Sequence[Block]], kinds: Mapping[str, str], model: RandomModel) -> list[str]:
    """Return what each natural parameter is the variance of."""
    names = ("participants", *kinds)
    found = [name for name, blocks in zip(names, levels, strict=True) for block in blocks for _ in range(block.size)]
    return [*found, *("residuals" for _ in range(model.n_strata))]


def _prepare(base: PatternBase | RowBase, design: Design) -> tuple[Basis, float]:
    """Leave out columns that add nothing, and take the outcome in units of its residual spread."""
    gram = base.gram()
    basis = Basis.of(design, gram)
    columns = basis.columns
    xx, xy = gram[np.ix_(columns, columns)], gram[columns, -1]
    left = float(gram[-1, -1] - xy @ np.linalg.solve(xx, xy))
    freedom = base.n_rows - len(columns)
    check_spread(left, float(gram[-1, -1]), freedom)
    spread = float(np.sqrt(left / freedom))
    base.select(columns, spread)
    return basis, spread


def _residual_covariances(base: PatternBase) -> list[Array]:
    """Return, per stratum, the covariance of residuals of least squares over the timepoints."""
    now = base.gram()
    by_ols: Array = np.linalg.solve(now[:-1, :-1], now[:-1, -1])
    sums, counts = base.residual_products(by_ols)
    whole, number = sums.sum(axis=0), counts.sum(axis=0)
    found = []
    for own, count in zip(sums, counts, strict=True):
        use = count > 1
        matrix = np.where(use, own / np.maximum(count, 1.0), whole / np.maximum(number, 1.0))
        variances = np.diag(matrix)
        found.append(np.where(np.eye(len(matrix)) > 0, np.maximum(matrix, variances.max() * 1e-3), matrix))
    return found


def _flatter(start: Array) -> Array:
    """Return a second start for the search, nearer to independence."""
    return start * 0.5


def _random_start(levels: Sequence[Sequence[object]], share: float) -> Array:
    """Return Cholesky factors of random effects: a share of the spread to participants, less to each level above."""
    found: list[float] = []
    for number, blocks in enumerate(levels):
        for block in blocks:
            assert isinstance(block, Unstructured)  # noqa: S101
            for row, column in block.cells():
                found.append(float(np.sqrt(share * 0.5**number / block.width)) if row == column else 0.0)
    return np.array(found)


def _residual_start(model: RandomModel, share: float) -> list[Array]:
    return [np.full(model.n_strata, 0.5 * np.log(max(1.0 - share, 0.1)))]


def _scaled_times(times: Array, mask: Mask, *, slopes: bool, centred: bool) -> tuple[Array, Array]:
    """Return [1, time], time centred and of mean square one, and what turns its effects into those asked for.

    Intercepts that stand far from the data are all but the slopes once more, and no optimiser tells the two apart.
    Effects that are uncorrelated at the zero asked for are not so elsewhere: these are not centred.
    """
    values = times[mask]
    if slopes and np.ptp(values) == 0.0:
        raise AnalysisError(
            Problem("time_constant", "Time stands still, so there is no slope in it.", "Name another time.")
        )
    middle = float(np.mean(values)) if centred else 0.0
    unit = float(np.sqrt(np.mean((values - middle) ** 2))) or 1.0
    design = np.stack([np.ones_like(times), np.where(mask, times - middle, 0.0) / unit], axis=-1)
    return design, np.array([[1.0, -middle / unit], [0.0, 1.0 / unit]])


def _row_levels(
    arranged: Arranged, widths: Sequence[int], variances: Sequence[tuple[tuple[int, int, int], ...]]
) -> list[Level]:
    """Return participants and groups as levels above independent rows."""
    members = arranged.memberships
    found = [
        Level(
            "participant",
            tuple(str(number) for number in range(len(arranged.participants))),
            widths[0],
            variances[0],
            tuple(each.codes for each in members),
        )
    ]
    for place, each in enumerate(members):
        above = [
            find_parents(each.codes, higher.codes, len(each.labels), each.name, higher.name)
            for higher in members[place + 1 :]
        ]
        found.append(Level(each.name, each.labels, widths[1 + place], variances[1 + place], tuple(above)))
    return found


def _group_kinds(groups: str | Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Return column -> kind of random effects of each level of groups."""
    if isinstance(groups, Mapping):
        for kind in groups.values():
            choose("groups", kind, RANDOM)
        return dict(groups)
    return dict.fromkeys([groups] if isinstance(groups, str) else groups, "intercept")
