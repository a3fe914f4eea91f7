"""How change goes with sessions, in the card of an outcome: an association, and the few words that say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.compliers import DIFFERENCE, SHARE_CAME
from analysis.design import Measure
from analysis.dose_part import BANDS, SLOPE
from analysis.plan import Outcome
from analysis.plan_parts import Compliers, ExposureResponse
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claims import WITHHELD, join_sentences, say_direction, say_size
from reports.content import ReportContent
from reports.language import mark, say, say_many
from reports.numbers import decimals_of, format_count, format_percent, format_threshold, say_difference, scale_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import NOT_PLANNED, Block

HEADING: Final = mark("Sessions and change")
CAUTION: Final = mark(
    "Nobody was allocated to come often or seldom. People who come often differ from people who do not in other ways "
    "too: how they felt, how near they live, how much time they have. So this does not tell what a session does."
)
OF_COMPLIERS: Final = mark(
    "The comparison by sessions offered takes for granted that the offer makes no difference to people who come to "
    "fewer sessions than that; where it does, the number is too large."
)
SLOPE_DECIMALS: Final = 2
_BANDS: Final = dict(
    zip(BANDS, (mark("Less than a third"), mark("A third to two thirds"), mark("Two thirds or more")), strict=True)
)


def say_dose(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what the plan asks of sessions and an outcome; None where it asks nothing."""
    of_outcome = {each.id for each in content.plan.estimands if each.outcome == outcome.id}
    responses = [each for each in content.plan.exposure_response if each.estimand in of_outcome]
    compliers = [each for each in content.plan.compliers if each.estimand in of_outcome]
    own = pick(rows, analysis="dose")
    if not own or not (responses or compliers):
        return None
    measure = content.plan.measure_of(outcome.id, content.design)
    sentences = [sentence for part in responses for sentence in _of_response(part, own, measure, content)]
    sentences += [sentence for part in compliers for sentence in _of_compliers(part, own, measure, content)]
    asked = {each.id for each in responses} | {each.id for each in compliers}
    is_shown = any(row.is_shown for row in own if row.item in asked or row.estimand in of_outcome)
    tables = (_band_table(part, own, measure, content) for part in responses)
    return Block(
        heading=say(HEADING),
        sentences=tuple(sentences),
        tables=tuple(table for table in tables if table is not None),
        caution=join_sentences(
            say(CAUTION) if responses and is_shown else "", say(OF_COMPLIERS) if compliers and is_shown else ""
        ),
    )


def _of_response(part: ExposureResponse, rows: Rows, measure: Measure, content: ReportContent) -> Iterator[str]:
    arm, at, start = _labels(part.arm, part.estimand, content)
    row = pick_one(rows, statistic=SLOPE, item=part.id, estimand=part.estimand)
    what = {"concept": measure.concept, "timepoint": at, "arm": arm}
    if row is None or row.verdict != "estimated":
        lead = say(
            "How {concept} at {timepoint} goes with the sessions that people in {arm} came to was not computed.", **what
        )
        yield join_sentences(lead, row.told if row is not None else "")
    elif not row.is_shown:
        yield say(
            "How {concept} at {timepoint} goes with the sessions that people in {arm} came to is not shown: {reason}.",
            **what,
            reason=say(WITHHELD),
        )
    else:
        said = {"arm": arm, "baseline": start, "timepoint": at, "measure": measure.label, "size": _slope(row, measure)}
        yield join_sentences(_say_relation(row, measure.concept, said), say_direction(measure))
        if not row.prespecified:
            yield say(NOT_PLANNED)


def _say_relation(row: Row, concept: str, said: dict[str, str]) -> str:
    if row.conf_low > 0 or row.conf_high < 0:
        return say(
            "Of people in {arm} who were alike at {baseline}, those who came to one session more scored {size} on "
            "{measure} at {timepoint}.",
            **said,
        )
    return say(
        "No clear relation between sessions and {concept} at {timepoint}: of people in {arm} who were alike at "
        "{baseline}, those who came to one session more scored {size} on {measure} at {timepoint}.",
        concept=concept,
        **said,
    )


def _slope(row: Row, measure: Measure) -> str:
    """Return a slope with its interval, in the digits that the gate left."""
    value, low, high = (round(number, SLOPE_DECIMALS) for number in (row.value, row.conf_low, row.conf_high))
    ends = {"low": _end(low), "high": _end(high)}
    if not value:
        return say("about the same (95\u00a0% interval {low} to {high})", **ends)
    return say("{amount} (95\u00a0% interval {low} to {high})", amount=say_difference(value, measure), **ends)


def _end(value: float) -> str:
    """Return an end of an interval with its direction; its unit stands beside it."""
    number = format_threshold(abs(value))
    return say("{number} lower", number=number) if value < 0 else say("{number} higher", number=number)


def _band_table(part: ExposureResponse, rows: Rows, measure: Measure, content: ReportContent) -> Table | None:
    found = {band: pick_one(rows, statistic=f"mean_change_{band}", item=part.id) for band in BANDS}
    if not any(found.values()):
        return None
    arm, at, start = _labels(part.arm, part.estimand, content)
    decimals = decimals_of(measure)
    lines = tuple(
        (say(_BANDS[band]), value_cell(row, decimals), interval_cell(row, decimals))
        for band, row in found.items()
        if row is not None
    )
    caption = say(
        "Change of {measure} in {unit} from {baseline} to {timepoint} in {arm}, by the share of sessions offered that "
        "people came to",
        measure=measure.label,
        unit=say("percentage points") if measure.unit == "percent" else scale_of(measure),
        baseline=start,
        timepoint=at,
        arm=arm,
    )
    columns = (say("Share of the sessions"), say("Mean change"), say(INTERVAL))
    return Table(caption, columns, lines, mark_notes(lines))


def _of_compliers(part: Compliers, rows: Rows, measure: Measure, content: ReportContent) -> Iterator[str]:
    estimand = next(each for each in content.plan.estimands if each.id == part.estimand)
    labels = {arm.id: arm.label for arm in content.design.arms}
    _, at, _ = _labels("", part.estimand, content)
    # i18n: part of "people who come to {sessions} when offered them"
    sessions = say_many(
        "at least {count} session",
        "at least {count} sessions",
        part.attended_at_least,
        count=format_count(part.attended_at_least),
    )
    row = pick_one(rows, statistic=DIFFERENCE, item=part.id, estimand=part.estimand)
    what = {"concept": measure.concept, "timepoint": at, "sessions": sessions}
    if row is None or row.verdict != "estimated":
        lead = say(
            "The difference in {concept} at {timepoint} among people who come to {sessions} when offered them was not "
            "computed.",
            **what,
        )
        yield join_sentences(lead, row.told if row is not None else "")
    elif not row.is_shown:
        yield say(
            "The difference in {concept} at {timepoint} among people who come to {sessions} when offered them is not "
            "shown: {reason}.",
            **what,
            reason=say(WITHHELD),
        )
    else:
        first, second = (labels.get(side, side) for side in estimand.compared)
        share = pick_one(rows, statistic=SHARE_CAME, item=part.id, estimand=part.estimand)
        said = {"sessions": sessions, "measure": measure.label, "timepoint": at, "arm": first, "reference": second}
        yield _say_came(share, said | {"size": say_size(row, measure)})
        if not row.prespecified:
            yield say(NOT_PLANNED)


def _say_came(share: Row | None, said: dict[str, str]) -> str:
    """Say the difference among people who come when offered, with the share who came where that is shown."""
    if share is None or not share.is_shown:
        return say(
            "Among people who come to {sessions} when offered them, scores on {measure} at {timepoint} compare as "
            "follows, {arm} against {reference}: {size}.",
            **said,
        )
    return say(
        "Among people who come to {sessions} when offered them (about {share} of {arm}), scores on {measure} at "
        "{timepoint} compare as follows, {arm} against {reference}: {size}.",
        **said,
        share=format_percent(share.value),
    )


def _labels(arm: str, estimand_id: str, content: ReportContent) -> tuple[str, str, str]:
    """Return the labels of an arm, the timepoint of an estimand, and the baseline."""
    estimand = next(each for each in content.plan.estimands if each.id == estimand_id)
    at = next(known.label for known in content.design.timepoints if known.id == estimand.timepoint)
    return next((one.label for one in content.design.arms if one.id == arm), arm), at, content.design.baseline.label
