"""What claims are made of: clauses that say what was observed, each a whole message in lower case.

Pairs of messages are for scores that differ, and for scores that are about the same when printed. Tables of pairs have
one for each unit of a measure.
"""

from __future__ import annotations

from typing import Final

from reports.language import mark

Pair = tuple[str, str]

BETWEEN_ARMS: Final[dict[str, Pair]] = {
    "points": (
        mark("people in the {arm} arm scored {amount} on the {measure} than people in the {reference} arm"),
        mark("people in the {arm} arm scored about the same on the {measure} as people in the {reference} arm"),
    ),
    # i18n: "it" is a share of people
    "percent": (
        mark("it was {amount} in the {arm} arm than in the {reference} arm"),
        mark("it was about the same in the {arm} arm as in the {reference} arm"),
    ),
    "count": (
        mark("the mean count was {amount} in the {arm} arm than in the {reference} arm"),
        mark("the mean count was about the same in the {arm} arm as in the {reference} arm"),
    ),
    "category": (
        mark("the mean category was {amount} in the {arm} arm than in the {reference} arm"),
        mark("the mean category was about the same in the {arm} arm as in the {reference} arm"),
    ),
}
IN_STEPS: Final[dict[str, Pair]] = {
    "points": (
        mark(
            "people measured while their group had the programme scored {amount} on the {measure} than while it had not"
        ),
        mark(
            "people measured while their group had the programme scored about the same on the {measure} as while it "
            "had not"
        ),
    ),
    # i18n: "it" is a share of people
    "percent": (
        mark("it was {amount} while groups had the programme than while they had not"),
        mark("it was about the same while groups had the programme as while they had not"),
    ),
    "count": (
        mark("the mean count was {amount} while groups had the programme than while they had not"),
        mark("the mean count was about the same while groups had the programme as while they had not"),
    ),
    "category": (
        mark("the mean category was {amount} while groups had the programme than while they had not"),
        mark("the mean category was about the same while groups had the programme as while they had not"),
    ),
}
OVER_TIME: Final[dict[str, Pair]] = {
    "points": (
        mark("people scored {amount} on the {measure} at {timepoint} than at {baseline}"),
        mark("people scored about the same on the {measure} at {timepoint} as at {baseline}"),
    ),
    # i18n: {concept} is a share of people
    "percent": (
        mark("{concept} was {amount} at {timepoint} than at {baseline}"),
        mark("{concept} was about the same at {timepoint} as at {baseline}"),
    ),
    "count": (
        mark("the mean count of {concept} was {amount} at {timepoint} than at {baseline}"),
        mark("the mean count of {concept} was about the same at {timepoint} as at {baseline}"),
    ),
    "category": (
        mark("the mean category of {concept} was {amount} at {timepoint} than at {baseline}"),
        mark("the mean category of {concept} was about the same at {timepoint} as at {baseline}"),
    ),
}
BETWEEN_SAMPLES: Final[dict[str, Pair]] = {
    "points": (
        mark("people surveyed at {timepoint} scored {amount} on the {measure} than people surveyed at {baseline}"),
        mark("people surveyed at {timepoint} scored about the same on the {measure} as people surveyed at {baseline}"),
    ),
    # i18n: {concept} is a share of people
    "percent": (
        mark("{concept} was {amount} among people surveyed at {timepoint} than among people surveyed at {baseline}"),
        mark(
            "{concept} was about the same among people surveyed at {timepoint} as among people surveyed at {baseline}"
        ),
    ),
    "count": (
        mark(
            "the mean count of {concept} was {amount} among people surveyed at {timepoint} than among people surveyed "
            "at {baseline}"
        ),
        mark(
            "the mean count of {concept} was about the same among people surveyed at {timepoint} as among people "
            "surveyed at {baseline}"
        ),
    ),
    "category": (
        mark(
            "the mean category of {concept} was {amount} among people surveyed at {timepoint} than among people "
            "surveyed at {baseline}"
        ),
        mark(
            "the mean category of {concept} was about the same among people surveyed at {timepoint} as among people "
            "surveyed at {baseline}"
        ),
    ),
}
FROM_TREND: Final[dict[str, Pair]] = {
    "points": (
        mark(
            "people surveyed at {timepoint} scored {amount} on the {measure} than the trend before {start} would have "
            "led one to expect"
        ),
        mark(
            "people surveyed at {timepoint} scored about the same on the {measure} as the trend before {start} would "
            "have led one to expect"
        ),
    ),
    # i18n: {concept} is a share of people
    "percent": (
        mark("at {timepoint}, {concept} was {amount} than the trend before {start} would have led one to expect"),
        mark("at {timepoint}, {concept} was about the same as the trend before {start} would have led one to expect"),
    ),
    "count": (
        mark("at {timepoint}, the mean count was {amount} than the trend before {start} would have led one to expect"),
        mark(
            "at {timepoint}, the mean count was about the same as the trend before {start} would have led one to expect"
        ),
    ),
    "category": (
        mark(
            "at {timepoint}, the mean category was {amount} than the trend before {start} would have led one to expect"
        ),
        mark(
            "at {timepoint}, the mean category was about the same as the trend before {start} would have led one to "
            "expect"
        ),
    ),
}
ASSOCIATED: Final[Pair] = (
    mark(
        "compared with people in the {reference} arm, being in the {arm} arm was associated with a change on the "
        "{measure} from {baseline} to {timepoint} that was {amount}"
    ),
    mark(
        "compared with people in the {reference} arm, being in the {arm} arm was associated with a change on the "
        "{measure} from {baseline} to {timepoint} that was about the same"
    ),
)
ASSOCIATED_SHARE: Final[Pair] = (
    mark(
        "compared with people in the {reference} arm, being in the {arm} arm was associated with a change in {concept} "
        "from {baseline} to {timepoint} that was {amount}"
    ),
    mark(
        "compared with people in the {reference} arm, being in the {arm} arm was associated with a change in {concept} "
        "from {baseline} to {timepoint} that was about the same"
    ),
)
ADJUSTED: Final[Pair] = (
    mark(
        "compared with people in the {reference} arm, after allowing for {covariates}, being in the {arm} arm was "
        "associated with a change on the {measure} from {baseline} to {timepoint} that was {amount}"
    ),
    mark(
        "compared with people in the {reference} arm, after allowing for {covariates}, being in the {arm} arm was "
        "associated with a change on the {measure} from {baseline} to {timepoint} that was about the same"
    ),
)
ADJUSTED_SHARE: Final[Pair] = (
    mark(
        "compared with people in the {reference} arm, after allowing for {covariates}, being in the {arm} arm was "
        "associated with a change in {concept} from {baseline} to {timepoint} that was {amount}"
    ),
    mark(
        "compared with people in the {reference} arm, after allowing for {covariates}, being in the {arm} arm was "
        "associated with a change in {concept} from {baseline} to {timepoint} that was about the same"
    ),
)
WEIGHTED: Final[Pair] = (
    mark(
        "compared with similar people in the {reference} arm, after adjusting for {covariates} by overlap weights, "
        "being in the {arm} arm was associated with a score on the {measure} at {timepoint} that was {amount}"
    ),
    mark(
        "compared with similar people in the {reference} arm, after adjusting for {covariates} by overlap weights, "
        "being in the {arm} arm was associated with a score on the {measure} at {timepoint} that was about the same"
    ),
)
WEIGHTED_SHARE: Final[Pair] = (
    mark(
        "compared with similar people in the {reference} arm, after adjusting for {covariates} by overlap weights, "
        "being in the {arm} arm was associated with {concept} at {timepoint} that was {amount}"
    ),
    mark(
        "compared with similar people in the {reference} arm, after adjusting for {covariates} by overlap weights, "
        "being in the {arm} arm was associated with {concept} at {timepoint} that was about the same"
    ),
)
SAMPLES_OF_ARMS: Final[Pair] = (
    mark(
        "the difference on the {measure} between people surveyed at {timepoint} and people surveyed at {baseline} was "
        "{amount} in the {arm} arm than in the {reference} arm"
    ),
    mark(
        "the difference on the {measure} between people surveyed at {timepoint} and people surveyed at {baseline} was "
        "about the same in the {arm} arm as in the {reference} arm"
    ),
)
SHARES_OF_ARMS: Final[Pair] = (
    mark(
        "the difference in {concept} between people surveyed at {timepoint} and people surveyed at {baseline} was "
        "{amount} in the {arm} arm than in the {reference} arm"
    ),
    mark(
        "the difference in {concept} between people surveyed at {timepoint} and people surveyed at {baseline} was "
        "about the same in the {arm} arm as in the {reference} arm"
    ),
)
