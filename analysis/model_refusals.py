"""Why a model gives no answer: sentences for people, with the way out."""

from __future__ import annotations

from typing import Final

from analysis.telling import REMEDY, join_told, tell

FAILURES: Final[dict[str, str]] = {
    "not_converged": tell(
        "No attempt to fit the model reached its solution.\nTake covariates out of the estimand, or look at the data "
        "for values that cannot be."
    ),
    "no_degrees_of_freedom": tell(
        "The model leaves nothing to judge its precision by.\nTake covariates out of the estimand."
    ),
}
"""Failure code -> sentence with the way out."""
_FEWER_TERMS: Final = tell("Take covariates out of the estimand, or collect more data.")
MODEL_REFUSALS: Final[dict[str, str]] = {
    "too_few_rows": join_told([tell("There are not more scores than terms of the model."), _FEWER_TERMS], REMEDY),
    "constant_outcome": tell(
        "The scores do not vary, given the terms of the model.\nCheck how the answers were coded, and whether a "
        "covariate is the outcome itself."
    ),
    "one_row_per_participant": tell(
        "Nobody of an arm has scores at two timepoints, so change cannot be followed.\nCheck that ids agree between "
        "waves."
    ),
    "covariance_not_identified": tell(
        "At some pair of timepoints nobody has both scores, so an unstructured covariance cannot be told.\nWrite a "
        "ladder, such as 'covariance: [us, toeph, csh, cs]'."
    ),
    "slope_not_identified": tell(
        "Nobody has scores at three timepoints, so a random slope cannot be told.\nWrite 'random: intercept', or "
        "'model: mmrm'."
    ),
    "too_few_groups": tell(
        "There are not two groups, so how much groups differ cannot be told.\nCheck the column that holds the group."
    ),
    "group_without_replication": tell(
        "No group has two people with scores, so groups and people cannot be told apart.\nCheck the column that holds "
        "the group."
    ),
    "statsmodels_cannot": tell("The statsmodels engine cannot fit this model.\nWrite 'engine: peerimpact'."),
    "separation": tell(
        "A term of the model tells without error who has the event, or how scores are ordered, so its estimate has no "
        "end.\nTake the covariate out, merge its levels, or choose another timepoint."
    ),
    "too_few_clusters": join_told(
        [tell("There are too few people or groups for so many terms, or for one of them."), _FEWER_TERMS], REMEDY
    ),
    "too_few_compared": join_told(
        [
            tell("Too few people of an arm have the score at baseline, the later score and every covariate."),
            _FEWER_TERMS,
        ],
        REMEDY,
    ),
    "too_few_participants": join_told(
        [tell("An arm has too few people, or groups, for so many covariates to weight by."), _FEWER_TERMS], REMEDY
    ),
    "covariates_repeat": tell(
        "A covariate does not vary among the people compared, or follows from the others, so nobody can be weighted "
        "by it.\nTake it out of the estimand."
    ),
    "no_overlap": tell(
        "The covariates tell who was in which arm, so nobody has a counterpart in the other arm.\nCompare people who "
        "could have been in either, or take out of the estimand what only one arm can have."
    ),
    "too_little_overlap": tell(
        "Too few people of an arm are like anybody in the other arm, so too few remain to compare.\nCompare people "
        "who could have been in either, or describe the arms side by side."
    ),
    "weights_alone": tell(
        "An estimand by overlap weights knows no further terms.\nAsk this of an estimand by another model."
    ),
    "group_in_both_arms": tell(
        "A group has people of both arms, so it does not belong to one of them.\nCheck the columns that hold the arm "
        "and the group."
    ),
    "too_few_pairs": join_told([tell("Too few people have two scores for so many terms."), _FEWER_TERMS], REMEDY),
    "model_unsuitable": tell(
        "The scores are not of the kind that the plan says, or do not hold what the model needs.\nCheck 'kind' of the "
        "outcome (binary: an event; ordinal: 3 to 10 whole numbers that follow one another; count: whole numbers from "
        "zero) and how the answers were coded."
    ),
}
"""Problem code of a model -> sentence with the way out. None gives a number of people or a level: they may be few."""
