"""What an imputation answers: an estimate for every arm and contrast, whatever is added to the imputed scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data.panel import Panel
from analysis.mixed_models import Estimate
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem, choose_from

NO_DELTA: Final[Mapping[str, float]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedEstimate:
    """One statistic of completed data.

    Attributes
    ----------
    statistic : {"mean", "difference"}
        Of an arm, or of two; of changes from baseline where the comparison is of changes.
    arm, contrast, timepoint : str
        What it is about; empty where that does not apply.
    strategy : str
        How scores after events were imputed; ``by event`` where events differ in it.
    delta : str
        Points added to imputed scores, by arm; empty for none.
    estimate : Estimate
        Value (points), standard error, degrees of freedom, 95 % interval and two-sided p-value.
    monte_carlo_error : float
        Standard deviation of the value over repeated imputations; 0 where nothing is drawn.
    n, n_imputed : int
        Participants in the arms concerned, and how many of them had their score at the timepoint imputed.
    method : str
        A sentence for the annex.
    """

    statistic: str
    arm: str
    contrast: str
    timepoint: str
    strategy: str
    delta: str
    estimate: Estimate
    monte_carlo_error: float
    n: int
    n_imputed: int
    method: str


class Imputed(Protocol):
    """Completed data that estimates can be asked of."""

    @property
    def panel(self) -> Panel:
        """Who was followed."""
        ...

    @property
    def names(self) -> pd.DataFrame:
        """A row for everything that can be asked: ``statistic``, ``arm``, ``contrast``."""
        ...

    @property
    def method(self) -> str:
        """How it was done, in a sentence."""
        ...

    def value(self, row: int, timepoint: int, points: Array) -> tuple[Estimate, float]:
        """Return an estimate and its Monte Carlo error, with points (arms,) added to imputed scores."""
        ...


def estimate_one(
    imputed: Imputed, what: str, timepoint: str, *, delta: Mapping[str, float] = NO_DELTA
) -> ImputedEstimate:
    """Return one statistic.

    Parameters
    ----------
    imputed : Imputed
        Of `impute_conditional_means` or `impute_repeatedly`.
    what : str
        An arm (its mean), or a contrast ``arm - arm``.
    timepoint : str
        Where.
    delta : mapping, optional
        Arm -> points added to each of its imputed scores.

    Raises
    ------
    AnalysisError
        An arm, contrast or timepoint is unknown.
    """
    panel, names = imputed.panel, imputed.names
    asked = list(names["arm"] + names["contrast"])
    for value, allowed, name in (
        (what, asked, "statistic"),
        (timepoint, panel.timepoints, "timepoint"),
        *((arm, panel.arms, "arm") for arm in delta),
    ):
        if value not in allowed:
            raise AnalysisError(
                Problem(f"{name}_unknown", f"There is no {name} '{value}'.", choose_from(value, allowed))
            )
    row, at = asked.index(what), panel.timepoints.index(timepoint)
    estimate, error = imputed.value(row, at, np.array([delta.get(arm, 0.0) for arm in panel.arms]))
    inside = np.array([panel.arms[place] in what.split(" - ") for place in panel.arm])
    statistic, arm, contrast = names.loc[row, ["statistic", "arm", "contrast"]]
    return ImputedEstimate(
        statistic=str(statistic),
        arm=str(arm),
        contrast=str(contrast),
        timepoint=timepoint,
        strategy=name_strategy(panel),
        delta=", ".join(f"{name} {points:+g}" for name, points in delta.items() if points),
        estimate=estimate,
        monte_carlo_error=error,
        n=int(inside.sum()),
        n_imputed=int((inside & ~panel.observed[:, at]).sum()),
        method=imputed.method,
    )


def tidy_imputed(imputed: Imputed, *, delta: Mapping[str, float] = NO_DELTA) -> pd.DataFrame:
    """Return every statistic at every timepoint.

    Returns
    -------
    DataFrame
        statistic, arm, contrast, timepoint, strategy, delta, estimate, std_error, df, p_value, conf_low,
        conf_high, monte_carlo_error, n, n_imputed, method.
    """
    return tabulate_imputed(
        estimate_one(imputed, what, timepoint, delta=delta)
        for timepoint in imputed.panel.timepoints
        for what in imputed.names["arm"] + imputed.names["contrast"]
    )


def tabulate_imputed(estimates: Iterable[ImputedEstimate]) -> pd.DataFrame:
    """Return estimates as a table; see `tidy_imputed`."""
    rows = []
    for each in estimates:
        found = asdict(each)
        own = found.pop("estimate")
        values = {
            "estimate": own["value"],
            "std_error": own["std_error"],
            "df": own["df"],
            "p_value": own["p_value"],
            "conf_low": own["conf_low"],
            "conf_high": own["conf_high"],
        }
        names = {key: found.pop(key) for key in ("statistic", "arm", "contrast", "timepoint", "strategy", "delta")}
        rows.append(names | values | found)
    return pd.DataFrame(rows)


def name_strategy(panel: Panel) -> str:
    """Return the strategy of the events of a panel, or ``by event`` where they differ."""
    if len(set(panel.strategy)) == 1:
        return panel.strategy[0]
    gone = panel.event < len(panel.timepoints)
    kinds = {strategy for strategy, inside in zip(panel.strategy, gone, strict=True) if inside}
    if len(kinds) > 1:
        return "by event"
    return kinds.pop() if kinds else "missing_at_random"
