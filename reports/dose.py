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
from reports.claims import WITHHELD, say_direction, say_size
from reports.content import ReportContent
from reports.numbers import NO_BREAK, decimals_of, format_number, format_threshold, unit_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import NOT_PLANNED, Block

CAUTION: Final = (
    "Nobody was allocated to come often or seldom. People who come often differ from people who do not in other ways "
    "too: how they felt, how near they live, how much time they have. So this does not tell what a session does."
)
OF_COMPLIERS: Final = (
    "The comparison by sessions offered takes for granted that the offer makes no difference to people who come to "
    "fewer sessions than that; where it does, the number is too large."
)
SLOPE_DECIMALS: Final = 2
_BANDS: Final = dict(zip(BANDS, ("Less than a third", "A third to two thirds", "Two thirds or more"), strict=True))


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
    tables = (_band_table(part, own, measure, content) for part in responses)
    return Block(
        heading="Sessions and change",
        sentences=tuple(sentences),
        tables=tuple(table for table in tables if table is not None),
        caution=" ".join([CAUTION] * bool(responses) + [OF_COMPLIERS] * bool(compliers)),
    )


def _of_response(part: ExposureResponse, rows: Rows, measure: Measure, content: ReportContent) -> Iterator[str]:
    arm, at, start = _labels(part.arm, part.estimand, content)
    row = pick_one(rows, statistic=SLOPE, item=part.id, estimand=part.estimand)
    what = f"How {measure.concept} at {at} goes with the sessions that people in {arm} came to"
    if row is None or row.verdict != "estimated":
        yield f"{what} was not computed. {row.method if row is not None else ''}".rstrip()
    elif not row.is_shown:
        yield f"{what} is not shown: {WITHHELD}."
    else:
        is_clear = row.conf_low > 0 or row.conf_high < 0
        lead = "" if is_clear else f"No clear relation between sessions and {measure.concept} at {at}: "
        people = f"of people in {arm} who were alike at {start}, those"
        said = f"{lead}{people if lead else people[0].upper() + people[1:]} who came to one session more scored "
        yield f"{said}{_slope(row, measure)} on the {measure.label} at {at}. {say_direction(measure)}"
        if not row.prespecified:
            yield NOT_PLANNED


def _slope(row: Row, measure: Measure) -> str:
    """Return a slope with its interval, in the digits that the gate left."""
    value, low, high = (round(number, SLOPE_DECIMALS) for number in (row.value, row.conf_low, row.conf_high))
    size = f"{format_threshold(abs(value))}{unit_of(measure)} {_way(value)}" if value else "about the same"
    ends = " to ".join(f"{format_threshold(abs(end))} {_way(end)}" for end in (low, high))
    return f"{size} ({INTERVAL} {ends})"


def _way(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _band_table(part: ExposureResponse, rows: Rows, measure: Measure, content: ReportContent) -> Table | None:
    found = {band: pick_one(rows, statistic=f"mean_change_{band}", item=part.id) for band in BANDS}
    if not any(found.values()):
        return None
    arm, at, start = _labels(part.arm, part.estimand, content)
    decimals = decimals_of(measure)
    lines = tuple(
        (_BANDS[band], value_cell(row, decimals), interval_cell(row, decimals))
        for band, row in found.items()
        if row is not None
    )
    caption = f"Change of {measure.label} from {start} to {at} in {arm}, by the share of sessions offered that people "
    return Table(f"{caption}came to", ("Share of the sessions", "Mean change", INTERVAL), lines, mark_notes(lines))


def _of_compliers(part: Compliers, rows: Rows, measure: Measure, content: ReportContent) -> Iterator[str]:
    estimand = next(each for each in content.plan.estimands if each.id == part.estimand)
    labels = {arm.id: arm.label for arm in content.design.arms}
    _, at, _ = _labels("", part.estimand, content)
    sessions = f"at least {part.attended_at_least} session{'s' if part.attended_at_least > 1 else ''}"
    row = pick_one(rows, statistic=DIFFERENCE, item=part.id, estimand=part.estimand)
    what = f"The difference in {measure.concept} at {at} among people who come to {sessions} when offered them"
    if row is None or row.verdict != "estimated":
        yield f"{what} was not computed. {row.method if row is not None else ''}".rstrip()
    elif not row.is_shown:
        yield f"{what} is not shown: {WITHHELD}."
    else:
        first, second = (labels.get(side, side) for side in estimand.compared)
        share = pick_one(rows, statistic=SHARE_CAME, item=part.id, estimand=part.estimand)
        part_of = f" (about {format_number(share.value, 0)}{NO_BREAK}% of {first})" if share and share.is_shown else ""
        yield (
            f"Among people who come to {sessions} when offered them{part_of}, scores on the {measure.label} at {at} "
            f"compare as follows, {first} against {second}: {say_size(row, measure)}."
        )
        if not row.prespecified:
            yield NOT_PLANNED


def _labels(arm: str, estimand_id: str, content: ReportContent) -> tuple[str, str, str]:
    """Return the labels of an arm, the timepoint of an estimand, and the baseline."""
    estimand = next(each for each in content.plan.estimands if each.id == estimand_id)
    at = next(known.label for known in content.design.timepoints if known.id == estimand.timepoint)
    return next((one.label for one in content.design.arms if one.id == arm), arm), at, content.design.baseline.label
