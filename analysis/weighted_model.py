"""Arms that were not formed by chance: an estimand answered by overlap weights.

What is compared is the score at the timepoint; the score at baseline is part of what the arms are made alike in.
Overlap weights make its means equal exactly, so the difference of the changes since baseline is the same number, with
the same standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.clusters import problem
from analysis.design import Covariate, StudyDesign
from analysis.frames import count_classes, covariate_column, score_column
from analysis.mixed_models.inference import Estimate
from analysis.plan import Estimand, Plan
from analysis.telling import Told, join_told, list_told, tell
from analysis.weighting import WeightedComparison, compare_weighted

Cell = tuple[str, str]
"""An arm and a timepoint."""
_OWN = "compared score"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedModel:
    """Comparisons of two arms at one timepoint or several, each of the people with a score there.

    Attributes
    ----------
    frame : DataFrame
        The outcome frame.
    comparisons : mapping
        Timepoint -> comparison of the two arms there, the first one asked for in front.
    contrast : tuple of str
        Arm and reference arm.
    baseline : str
        First timepoint.
    adjusted : tuple of Covariate
        The declared adjustment set, without the score at baseline.
    estimand : Estimand
        What the first comparison was made for.
    classes : float
        See `Result.classes`.
    """

    frame: pd.DataFrame
    comparisons: Mapping[str, WeightedComparison]
    contrast: tuple[str, str]
    baseline: str
    adjusted: tuple[Covariate, ...]
    estimand: Estimand
    classes: float

    @property
    def fit(self) -> WeightedComparison:
        """The first comparison."""
        return next(iter(self.comparisons.values()))

    @property
    def converged(self) -> bool:
        """Nothing is left unfinished: what cannot be compared was refused."""
        return True

    @property
    def rows(self) -> pd.DataFrame:
        """One row per participant compared and timepoint: ``participant`` (row of the frame), ``arm``."""
        people = [
            self.frame.iloc[found.rows][["arm"]].rename_axis("participant").reset_index().assign(timepoint=timepoint)
            for timepoint, found in self.comparisons.items()
        ]
        return pd.concat(people, ignore_index=True)

    def observed(self, arm: str, timepoint: str) -> pd.Series:
        """Return the scores of the people of an arm who were compared there, at baseline in the first comparison."""
        found = self.fit if timepoint == self.baseline else self.comparisons.get(timepoint)
        if found is None or arm not in self.contrast:
            return pd.Series(dtype="float64")
        own = self.frame.iloc[found.rows]
        return own.loc[own["arm"] == arm, score_column(timepoint)]

    def estimate(self, cells: Mapping[Cell, float]) -> Estimate:
        """Estimate one weighted mean, or the difference of the arms at a timepoint (the baseline adds nothing)."""
        if len(cells) > 1:
            return self.comparisons[next(at for _, at in cells if at != self.baseline)].difference
        ((arm, timepoint),) = cells
        at_baseline = timepoint == self.baseline
        found = self.fit if at_baseline else self.comparisons[timepoint]
        # At baseline both means are one number: it is told once, so that it cannot differ in its last bit.
        first = self.contrast[0] if at_baseline else arm
        return estimate_mean(self.frame, found, first, score_column(timepoint), self.contrast, self.adjusted)

    def joined(self, others: Sequence[object]) -> WeightedModel:
        """Return the model with the comparisons of others that adjust alike and compare the same arms later."""
        alike = [
            other
            for other in others
            if isinstance(other, WeightedModel) and (other.contrast, other.adjusted) == (self.contrast, self.adjusted)
        ]
        later = {timepoint: found for other in alike for timepoint, found in other.comparisons.items()}
        return replace(self, comparisons={**self.comparisons, **later, **self.comparisons})


def fit_weighted_model(frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign) -> WeightedModel:
    """Compare the two arms of an estimand at its timepoint, with overlap weights.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame. People without the score at the timepoint or at baseline, or without a covariate, are left
        out.
    estimand, plan, design : Estimand, Plan, StudyDesign
        What is asked; ``covariates`` are the declared adjustment set, the score at baseline is added to it where it
        varies.

    Returns
    -------
    WeightedModel

    Raises
    ------
    AnalysisError
        See `compare_weighted`; ``too_few_compared``: an arm has fewer people than the floor of the plan;
        ``too_little_overlap``: weighted, its people tell less than that floor of people of equal weight would.
    """
    adjusted = tuple(known for known in design.covariates if known.id in estimand.covariates)
    contrast = (estimand.compared.first, estimand.compared.second)
    baseline, later = score_column(design.baseline.id), score_column(estimand.timepoint)
    columns = [baseline, later, *(covariate_column(covariate.id) for covariate in adjusted)]
    compared = frame["arm"].isin(contrast) & frame[columns].notna().all(axis=1)
    fewest = plan.small_numbers.floor
    if any((compared & (frame["arm"] == arm)).sum() < fewest for arm in contrast):
        message = "An arm has too few people of whom the scores and all covariates are known."
        raise problem("too_few_compared", message, "Declare fewer covariates, or describe the arms side by side.")
    varies = np.ptp(frame.loc[compared, baseline].to_numpy()) > 0
    # Whoever lacks the baseline is left out, whether or not it varies.
    found = compare_weighted(
        frame.assign(**{later: frame[later].where(frame[baseline].notna())}),
        outcome=later,
        contrast=contrast,
        covariates=adjusted,
        numbers=(baseline,) if varies else (),
        groups="group",
    )
    if min(found.effective_first, found.effective_second) < fewest:
        message = "Too few people of an arm could as well have been in the other."
        raise problem("too_little_overlap", message, "Compare people who could have been in either arm.")
    return WeightedModel(
        frame=frame,
        comparisons={estimand.timepoint: found},
        contrast=contrast,
        baseline=design.baseline.id,
        adjusted=adjusted,
        estimand=estimand,
        classes=2.0 if plan.outcome(estimand.outcome).event is not None else count_classes(frame),
    )


def estimate_mean(
    frame: pd.DataFrame,
    found: WeightedComparison,
    arm: str,
    column: str,
    contrast: tuple[str, str],
    adjusted: Sequence[Covariate],
) -> Estimate:
    """Estimate the weighted mean of one arm: its difference from an arm whose people all have zero.

    Parameters
    ----------
    frame : DataFrame
        The outcome frame of the comparison.
    found : WeightedComparison
        Who is compared, and with which adjustment set.
    arm, column : str
        Whose mean, and of what.
    contrast : tuple of str
        The two arms.
    adjusted : sequence of Covariate
        The covariates of the adjustment set; other names in it are columns of numbers.
    """
    own = frame.iloc[found.rows]
    known = {covariate.id for covariate in adjusted}
    other = next(side for side in contrast if side != arm)
    return compare_weighted(
        own.assign(**{_OWN: np.where(own["arm"] == arm, own[column], 0.0)}),
        outcome=_OWN,
        contrast=(arm, other),
        covariates=adjusted,
        numbers=[name for name in found.adjustment_set if name not in known],
        groups="group",
    ).difference


def describe_weights(found: WeightedComparison, design: StudyDesign) -> Told:
    """Return a comparison in words, for the annex: what the arms were made alike in, and how precision was judged.

    Parameters
    ----------
    found : WeightedComparison
        The comparison.
    design : StudyDesign
        Labels of the covariates.
    """
    names = [known.label for known in design.covariates if known.id in found.adjustment_set]
    if len(names) < len(found.adjustment_set):
        names.append(tell("the score at {timepoint}", timepoint=design.baseline.label))
    return join_told([
        tell("Difference of mean scores at the timepoint, of people weighted by how well they could have been in the "
             "other arm (overlap weights, by logistic regression)."),
        tell_adjusted(names),
        tell("Clusters: people of a group.") if design.group_arms else tell("Clusters: one person."),
        tell("t intervals after Welch, with sandwich standard errors that know that the weights were estimated."),
    ])  # fmt: skip


def tell_adjusted(names: Sequence[str]) -> Told:
    """Return what a comparison was adjusted for: labels of covariates."""
    return tell("Adjusted for {covariates}.", covariates=list_told(names))


def estimate_ratio(model: WeightedModel, timepoint: str) -> tuple[float, float, float]:
    """Return the ratio of the two weighted means with its interval, by the logarithm; NaN where a mean is not above 0.

    Parameters
    ----------
    model : WeightedModel
        Of a binary outcome, so that means are percent of people.
    timepoint : str
        One of its comparisons.
    """
    found = model.comparisons[timepoint]
    means = found.mean_first, found.mean_second
    if min(means) <= 0:
        return float("nan"), float("nan"), float("nan")
    own = model.frame.iloc[found.rows]
    over_own_mean = np.where(own["arm"] == model.contrast[0], *(1 / mean for mean in means))
    known = {covariate.id for covariate in model.adjusted}
    # The logarithm's derivative: scores over the mean of their own arm have the influence of the logarithms.
    relative = compare_weighted(
        own.assign(**{_OWN: own[score_column(timepoint)] * over_own_mean}),
        outcome=_OWN,
        contrast=model.contrast,
        covariates=model.adjusted,
        numbers=[name for name in found.adjustment_set if name not in known],
        groups="group",
    ).difference
    reach = (relative.conf_high - relative.conf_low) / 2
    ratio = means[0] / means[1]
    return ratio, float(ratio * np.exp(-reach)), float(ratio * np.exp(reach))
