"""Does a measure mean the same over time? Loadings and intercepts of its items at two or more timepoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from data_contracts.errors import Problem
from data_contracts.telling import Number, tell, tell_many
from instruments.errors import InstrumentError
from instruments.psychometrics.factor_analysis import FEWEST_ITEMS, Equal, FactorFit, fit_one_factor
from instruments.psychometrics.moments import summarise_answers

Level = Literal["none", "configural", "metric", "scalar"]

MOST_PATTERNS: Final = 300
"""Different sets of missing answers that go into one model."""
FEWEST_PARTICIPANTS: Final = 100
FEWEST_PER_PARAMETER: Final = 5
LOWEST_CFI: Final = 0.90
"""Below it one factor at each timepoint does not describe the answers (Bentler & Bonett 1980)."""
HIGHEST_SRMR: Final = 0.08
"""Above it neither (Hu & Bentler 1999, doi 10.1080/10705519909540118)."""
LARGEST_FALL_IN_CFI: Final = 0.010
LARGEST_RISE_IN_RMSEA: Final = 0.015
"""Both after Chen (2007), doi 10.1080/10705510701301834."""
WORDS: Final[dict[Level, str]] = {
    "none": tell("One factor does not describe the answers at every timepoint."),
    "configural": tell("Configural invariance holds; metric invariance does not."),
    "metric": tell("Metric invariance holds; scalar invariance does not."),
    "scalar": tell("Scalar invariance holds."),
}
EQUAL: Final[dict[Level, Equal]] = {
    "configural": "nothing", "metric": "loadings", "scalar": "loadings_and_intercepts",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Invariance:
    """The models of increasing invariance over time, and the highest level that holds.

    Attributes
    ----------
    configural, metric, scalar : FactorFit
        One factor at each timepoint; with equal loadings; with equal loadings and intercepts.
    """

    configural: FactorFit
    metric: FactorFit
    scalar: FactorFit

    @property
    def level(self) -> Level:
        """The highest level that holds.

        Configural invariance holds with a CFI of at least 0.90 and an SRMR of at most 0.08. Each further level holds
        where it costs at most 0.010 of CFI and adds at most 0.015 to the RMSEA.
        """
        if self.configural.cfi < LOWEST_CFI or self.configural.srmr > HIGHEST_SRMR:
            return "none"
        if not _holds(self.configural, self.metric):
            return "configural"
        return "scalar" if _holds(self.metric, self.scalar) else "metric"

    @property
    def words(self) -> str:
        """`level` as a sentence."""
        return WORDS[self.level]

    def tidy(self) -> pd.DataFrame:
        """Return one row per model: level, then the columns of `FactorFit.glance`, change_in_cfi, change_in_rmsea."""
        table = pd.concat([self.configural.glance(), self.metric.glance(), self.scalar.glance()], ignore_index=True)
        table.insert(0, "level", list(EQUAL))
        return table.assign(change_in_cfi=table["cfi"].diff(), change_in_rmsea=table["rmsea"].diff())


def assess_invariance(answers: Sequence[pd.DataFrame]) -> Invariance:
    """Compare models of one measure over timepoints; residuals of the same item correlate over time.

    A level is a reason for more or less certainty about change, never a gate. Answers are taken as continuous, which
    suits items with about five or more answers (Rhemtulla et al. 2012, doi 10.1037/a0029315).

    Parameters
    ----------
    answers : sequence of DataFrame
        One per timepoint, two or more: participant x item, scored, the same items everywhere, NaN where missing.
        Missing answers call for full information maximum likelihood, which uses every answer that was given; each
        different set of missing items costs time, so only the `MOST_PATTERNS` most frequent sets go in.

    Returns
    -------
    Invariance
        Three fits, the level and its words.

    Raises
    ------
    InstrumentError
        ``one_timepoint``, ``too_few_items`` (below 3), ``too_few_participants`` (answering at every timepoint: 100, and
        5 for each parameter of the configural model), or what `summarise_answers` and `fit_one_factor` refuse.
    """
    if len(answers) < 2:
        raise InstrumentError(
            Problem(
                "one_timepoint",
                tell("Invariance over time needs two timepoints or more."),
                "Give further timepoints.",
            )
        )
    _require_size(answers)
    moments = summarise_answers(_of_common_patterns(answers))
    fits = {level: fit_one_factor(moments, equal=equal) for level, equal in EQUAL.items()}
    return Invariance(configural=fits["configural"], metric=fits["metric"], scalar=fits["scalar"])


def _of_common_patterns(answers: Sequence[pd.DataFrame]) -> Sequence[pd.DataFrame]:
    """Return the answers of participants whose set of missing answers is among the most frequent; ties by the set."""
    if any(each.index.has_duplicates for each in answers):
        return answers  # which is refused elsewhere
    wide = pd.concat(list(answers), axis="columns", keys=range(len(answers)), sort=True).dropna(how="all")
    pattern = pd.Series(["".join(row) for row in wide.isna().to_numpy().astype(int).astype(str)], index=wide.index)
    counts = pattern.value_counts().reset_index()
    if len(counts) <= MOST_PATTERNS:
        return answers
    ranked = counts.sort_values(["count", counts.columns[0]], ascending=[False, True])
    kept = pattern.index[pattern.isin(ranked.iloc[:MOST_PATTERNS, 0])]
    return [each.loc[each.index.isin(kept)] for each in answers]


def _require_size(answers: Sequence[pd.DataFrame]) -> None:
    items, timepoints = answers[0].shape[1], len(answers)
    if items < FEWEST_ITEMS:
        raise InstrumentError(
            Problem("too_few_items", tell("A factor needs three items or more."), "Use a measure with more items.")
        )
    pairs = timepoints * (timepoints + 1) // 2
    parameters = 2 * items * timepoints + items * pairs + pairs - timepoints
    needed = max(FEWEST_PARTICIPANTS, FEWEST_PER_PARAMETER * parameters)
    everywhere = set.intersection(*(set(each.dropna(how="all").index) for each in answers))
    if len(everywhere) < needed:
        raise InstrumentError(
            Problem(
                "too_few_participants",
                tell_many(
                    "Invariance over time needs {needed} participant who answered at every timepoint.",
                    "Invariance over time needs {needed} participants who answered at every timepoint.",
                    needed,
                    needed=Number(needed),
                ),
                "Gather more participants, or take fewer timepoints at once.",
            )
        )


def _holds(before: FactorFit, after: FactorFit) -> bool:
    return before.cfi - after.cfi <= LARGEST_FALL_IN_CFI and after.rmsea - before.rmsea <= LARGEST_RISE_IN_RMSEA
