"""Conditional-mean imputation with the jackknife: reference-based imputation without a random number.

Missing scores are replaced by their conditional mean; the standard error is that of the whole procedure, imputation
model included, repeated without each participant (Wolbers et al. 2022, doi 10.1002/pst.2234). Unlike Rubin's rules it
is the sampling error under the assumption made, also for reference-based strategies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data.comparison import Comparison
from analysis.missing_data.completion import Pattern, assign_means, fill_in_means, find_patterns
from analysis.missing_data.events import Strategy
from analysis.missing_data.imputation_model import LADDER, ImputationModel, Parameters
from analysis.missing_data.panel import Compare, Panel
from analysis.mixed_models import Estimate
from analysis.mixed_models.inference import make_estimate
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.threads import on_one_thread
from analysis.telling import Told, tell
from data_contracts.errors import Problem

FEWEST_UNITS: Final = 8
"""Participants (groups, where people meet in them) of an arm below which the jackknife is too rough."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """What is left out in turn: participants, or whole groups.

    Attributes
    ----------
    members : tuple of arrays of int
        Places of the participants of each unit.
    arm : (units,) array of int
        The arm of each.
    are_groups : bool
        Some of the units are groups.
    """

    members: tuple[Codes, ...]
    arm: Codes
    are_groups: bool

    def variance(self, values: Array) -> tuple[float, float]:
        """Return the jackknife variance of values (units,), each without one of the units, and its degrees of freedom.

        Participants: (n - 1) / n sum (v - mean)^2, as Wolbers et al. 2022 have it, on n - arms degrees. Groups: the sum
        over arms of the same within the arm, whose number of units is its own; degrees after Satterthwaite.
        """
        parts, degrees = [], []
        for arm in range(int(self.arm.max()) + 1):
            own = values[self.arm == arm]
            parts.append((len(own) - 1) / len(own) * float(((own - own.mean()) ** 2).sum()))
            degrees.append(len(own) - 1)
        if not self.are_groups:
            count = len(values)
            return (count - 1) / count * float(((values - values.mean()) ** 2).sum()), float(sum(degrees))
        total = sum(parts)
        spread = sum(part**2 / degree for part, degree in zip(parts, degrees, strict=True))
        return total, total**2 / spread if spread > 0 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionalMeans:
    """Estimates from completed data, of everybody and without each unit; see `estimate_one` and `tidy_imputed`.

    Attributes
    ----------
    panel : Panel
        Who was followed, with the strategy of each event.
    names : DataFrame
        A row for everything that can be asked: ``statistic``, ``arm``, ``contrast``.
    method : str
        How it was done.
    everybody : (rows, T, 1 + arms) array
        Estimates, and what a point added to the imputed scores of each arm does to them.
    without : (units, rows, T, 1 + arms) array
        The same without each unit.
    """

    panel: Panel
    names: pd.DataFrame
    method: str
    everybody: Array
    without: Array
    _units: Units

    def value(self, row: int, timepoint: int, points: Array) -> tuple[Estimate, float]:
        """See `analysis.missing_data.estimates.Imputed`."""
        weights = np.concatenate([[1.0], points])
        variance, df = self._units.variance(self.without[:, row, timepoint] @ weights)
        return make_estimate(float(self.everybody[row, timepoint] @ weights), float(np.sqrt(variance)), df), 0.0


@on_one_thread
def impute_conditional_means(
    panel: Panel,
    *,
    compare: Compare = "ancova",
    contrasts: Sequence[tuple[str, str]] | None = None,
    covariance: Sequence[str] = LADDER,
) -> ConditionalMeans:
    """Impute by the strategies of a panel's events, and repeat it all without each participant (or group).

    Parameters
    ----------
    panel : Panel
        Of `build_panel`. With `groups`, whole groups are left out in turn, so that the standard error allows for
        people of a group being alike; the imputed means do not borrow from the group.
    compare, contrasts
        As in `Comparison.of`.
    covariance : sequence of str
        As in `ImputationModel.fit`.

    Returns
    -------
    ConditionalMeans
        Intervals are from Student's t with the degrees of freedom of `Units.variance`; rbmi takes the normal.

    Raises
    ------
    AnalysisError
        Fewer than `FEWEST_UNITS` units in an arm, or see `ImputationModel.fit`, `ImputationModel.without` and
        `Comparison.of`.
    """
    return _impute([panel], compare, contrasts, covariance)[0]


@on_one_thread
def impute_under_strategies(
    panel: Panel,
    strategies: Sequence[Strategy],
    *,
    compare: Compare = "ancova",
    contrasts: Sequence[tuple[str, str]] | None = None,
    covariance: Sequence[str] = LADDER,
) -> tuple[ConditionalMeans, ...]:
    """Impute with one strategy for all events, and then with another, at little more than the price of one.

    Strategies share the refits when they let the imputation model learn from the same scores, as always where nothing
    was observed after an event. Parameters as in `impute_conditional_means`; a result per strategy, in their order.
    """
    return _impute([panel.with_strategy(strategy) for strategy in strategies], compare, contrasts, covariance)


def _impute(
    panels: Sequence[Panel],
    compare: Compare,
    contrasts: Sequence[tuple[str, str]] | None,
    covariance: Sequence[str],
) -> tuple[ConditionalMeans, ...]:
    """Impute panels that differ in their strategies alone, with one round of refits for those that can share it."""
    rounds: dict[bytes, list[int]] = {}
    for place, panel in enumerate(panels):
        rounds.setdefault(panel.modelled.tobytes(), []).append(place)
    found: dict[int, ConditionalMeans] = {}
    for places in rounds.values():
        own = [panels[place] for place in places]
        units = find_units(own[0])
        comparison = Comparison.of(own[0], compare=compare, contrasts=contrasts)
        model = ImputationModel.fit(own[0], covariance=covariance)
        for place, values in zip(places, _repeat(own, model, units, comparison), strict=True):
            found[place] = ConditionalMeans(
                panel=panels[place],
                names=comparison.names,
                method=_words(model, units),
                everybody=values[0],
                without=values[1:],
                _units=units,
            )
    return tuple(found[place] for place in range(len(panels)))


def _repeat(panels: Sequence[Panel], model: ImputationModel, units: Units, comparison: Comparison) -> list[Array]:
    """Return, for each panel, what is asked (1 + units, rows, T, 1 + arms): of everybody, then without each unit."""
    patterns = [find_patterns(panel.observed) for panel in panels]
    everyone = np.arange(panels[0].n_participants)
    found: list[list[Array]] = [[] for _ in panels]
    for gone in (everyone[:0], *units.members):
        said = model.without(gone)
        rest = np.delete(everyone, gone)
        for panel, own, values in zip(panels, patterns, found, strict=True):
            values.append(_values(panel, said, own, comparison, rest))
    return [np.array(values) for values in found]


def find_units(panel: Panel) -> Units:
    """Return what is left out in turn: every group, and every participant without one.

    Raises
    ------
    AnalysisError
        An arm has fewer than `FEWEST_UNITS`, or a group has people of two arms.
    """
    alone = np.arange(panel.n_participants)
    codes = alone if panel.groups is None else np.where(panel.groups >= 0, panel.groups, panel.n_participants + alone)
    members = tuple(np.flatnonzero(codes == code) for code in np.unique(codes))
    if any(len(set(panel.arm[people].tolist())) > 1 for people in members):
        message = "A group has people of two arms, so arms cannot be told apart by leaving groups out."
        raise AnalysisError(Problem("groups_across_arms", message, "Use the mixed model, which knows such groups."))
    arm = np.array([panel.arm[people[0]] for people in members])
    are_groups = panel.groups is not None and bool((panel.groups >= 0).any())
    for place, name in enumerate(panel.arms):
        if (arm == place).sum() < FEWEST_UNITS:
            raise AnalysisError(
                Problem(
                    "too_few_units",
                    f"Arm '{name}' has fewer than {FEWEST_UNITS} {'groups' if are_groups else 'participants'}, too few "
                    "for the jackknife.",
                    "Rely on the mixed model, and describe who left.",
                )
            )
    return Units(members=members, arm=arm, are_groups=are_groups)


def _values(panel: Panel, said: Parameters, patterns: list[Pattern], comparison: Comparison, people: Codes) -> Array:
    """Return what is asked of some participants, imputed with the given parameters."""
    completed = fill_in_means(panel, assign_means(panel, said), said.covariance, patterns)
    return comparison.fit(completed, ~panel.observed, people).values


def _words(model: ImputationModel, units: Units) -> Told:
    if units.are_groups:
        return tell(
            "Conditional-mean imputation from a mixed model for repeated measures ({covariance}); standard error by "
            "the jackknife over every group or participant without one; Student's t.",
            covariance=model.covariance,
        )
    return tell(
        "Conditional-mean imputation from a mixed model for repeated measures ({covariance}); standard error by the "
        "jackknife over every participant; Student's t.",
        covariance=model.covariance,
    )
