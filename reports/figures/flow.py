"""The flow of participants from eligible to analysed, as boxes and arrows, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.design import Arm, StudyDesign
from reports.cells import people_cell
from reports.content import ReportContent
from reports.figures.boxes import ACROSS, APART, MIDDLE, Boxes, Span
from reports.language import say
from reports.numbers import format_count
from reports.reading import Row, Rows, pick, pick_one
from reports.recruitment import Recruitment, read_recruitment
from reports.sections import Illustration
from reports.tables import say_response

MOST_COLUMNS: Final = 2
"""Arms that stand beside each other; more of them share one column, so that a phone can show them."""
_RAIL: Final = 5.0
"""Beside the steps of a column, where the line to the model runs."""
_ASIDE: Final = (55.0, ACROSS)
"""Where those stand who left before the data begin."""
_DECLARED: Final = "#f4f6f8"


def draw_flow(rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return the flow of participants, nothing where no number of them may be said.

    Of samples drawn anew there is one box for each, without arrows between them.

    Parameters
    ----------
    rows : tuple of Row
        Gated results; a number that is withheld is told as far as it may be said.
    content : ReportContent
        Labels, design and plan.
    """
    design = content.design
    if not any(_is_known(row) and row.n != 0 for row in pick(rows, analysis="flow", statistic="answered")):
        return ()
    drawing = Boxes()
    whole = (10.0, 90.0) if len(design.arms) == 1 else (0.0, ACROSS)
    before = read_recruitment(rows, design)
    _put_declared(drawing, before, whole)
    if design.is_resampled:
        _put_samples(drawing, rows, design, whole)
        caption = _caption_of_samples(rows, design, before)
    else:
        _put_arms(drawing, rows, content, whole)
        caption = _caption(rows, content, before)
    alternative = say(
        "Flow diagram, from top to bottom. The words beside it and the table of people below hold the same numbers."
    )
    return (Illustration(id="flow", figure=drawing.draw(), caption=caption, alternative=alternative),)


def _tell(before: Recruitment) -> list[str]:
    """Return the declared numbers, each a line of its own."""
    told = []
    if before.eligible is not None:
        told.append(say("Eligible: {count}", count=format_count(before.eligible)))
    if before.invited is not None:
        told.append(say("Invited: {count}", count=format_count(before.invited)))
    return told


def _put_declared(drawing: Boxes, before: Recruitment, whole: Span) -> None:
    """Put what is declared of the time before the data begin, and at its side those who did not come on."""
    for index, text in enumerate(_tell(before)):
        if index:
            drawing.put_arrows([MIDDLE], [MIDDLE])
        drawing.put_row([[text]], [whole], fill=_DECLARED)
        if not index and before.not_invited:
            drawing.put_aside([say("Not invited: {count}", count=format_count(before.not_invited))], _ASIDE)
    if before.not_in_data:
        count = say("Not in the data: {count}", count=format_count(before.not_in_data))
        drawing.put_aside([count, say("Why is not known")], _ASIDE)


def _put_arms(drawing: Boxes, rows: Rows, content: ReportContent, whole: Span) -> None:
    """Put a column for each arm or, where they are many, one column that tells of all."""
    arms = content.design.arms
    is_beside = len(arms) == MOST_COLUMNS
    spans = [(0.0, 47.0), (53.0, ACROSS)] if is_beside else [whole]
    is_told, start = _Columns(arms, is_beside=is_beside), _say_start(content.design)
    begun = {arm.id: people_cell(_started(rows, arm)) for arm in arms}
    if drawing.y:
        drawing.put_arrows([MIDDLE], [_middle(span) for span in spans])
    drawing.put_row(is_told.boxes(start, begun, with_names=True), spans)
    top, model = drawing.y, _in_model(rows, content)
    # the line to the model runs at the outer side of its column
    rails = [span[0] + _RAIL / 2 if span[0] < MIDDLE else span[1] - _RAIL / 2 for span in spans]
    inner = [(span[0] + _RAIL, span[1]) if span[0] < MIDDLE else (span[0], span[1] - _RAIL) for span in spans]
    inner = inner if model else spans
    middles = [_middle(span) for span in inner]
    for step, cells in _steps(rows, content):
        drawing.put_arrows(middles, middles)
        drawing.put_row(is_told.boxes(step, cells), inner)
    if model:
        drawing.put_rails(rails, top)
        drawing.put_row(is_told.boxes(*model), spans)


def _say_start(design: StudyDesign) -> str:
    """Return the first step; of arms formed by chance nobody knows who was allotted to them and left no data."""
    return say("In the data") if design.shares_baseline else say("Started")


@dataclass(frozen=True, slots=True)
class _Columns:
    """How a step is told: in a box for each arm or in one box for all of them."""

    arms: tuple[Arm, ...]
    is_beside: bool

    def boxes(self, step: str, cells: dict[str, str], *, with_names: bool = False) -> list[list[str]]:
        """Return the lines of each box of a step."""
        if self.is_beside:
            heads = [[arm.label] if with_names else [] for arm in self.arms]
            return [[*head, step, cells[arm.id]] for head, arm in zip(heads, self.arms, strict=True)]
        if len(self.arms) == 1:
            return [[step, cells[self.arms[0].id]]]
        return [[step, *(_of_arm(arm, cells[arm.id]) for arm in self.arms)]]


def _middle(span: Span) -> float:
    return sum(span) / 2


def _started(rows: Rows, arm: Arm) -> Row | None:
    return pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id)


def _steps(rows: Rows, content: ReportContent) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each step after the start, and the people of each arm who took it."""
    design = content.design
    for timepoint in design.timepoints:
        cells = {}
        for arm in design.arms:
            answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
            begun = _started(rows, arm)
            cells[arm.id] = (
                people_cell(answered) if answered is None or begun is None else say_response(answered, begun)
            )
        yield say("Answered at {timepoint}", timepoint=timepoint.label), cells
    linked = _linked(rows, content)
    if any(linked.values()):
        yield _say_linked(content), {arm: people_cell(row) for arm, row in linked.items()}


def _linked(rows: Rows, content: ReportContent) -> dict[str, Row | None]:
    """Return the row of the people of each arm whose first and last score of the primary outcome are known."""
    where = {"analysis": "change_within_arm", "statistic": "mean_change", "outcome": content.plan.primary.id,
             "timepoint": content.design.timepoints[-1].id}  # fmt: skip
    return {arm.id: pick_one(rows, arm=arm.id, **where) for arm in content.design.arms}


def _say_linked(content: ReportContent) -> str:
    design = content.design
    return say(
        "Scores of {concept} at both {first} and {last}",
        concept=content.plan.measure_of(content.plan.primary.id, design).concept,
        first=design.baseline.label,
        last=design.timepoints[-1].label,
    )


def _in_model(rows: Rows, content: ReportContent) -> tuple[str, dict[str, str]] | None:
    """Return the people of each arm in the model of the primary outcome, None where there is none."""
    design, primary = content.design, content.plan.primary
    analysed = {
        arm.id: pick_one(rows, analysis="flow", statistic="analysed", outcome=primary.id, arm=arm.id)
        for arm in design.arms
    }
    if not any(analysed.values()):
        return None
    step = say("In the model of {concept}", concept=content.plan.measure_of(primary.id, design).concept)
    return step, {arm: people_cell(row) for arm, row in analysed.items()}


def _put_samples(drawing: Boxes, rows: Rows, design: StudyDesign, whole: Span) -> None:
    """Put one box for each sample; nobody is followed from one to the next, so no arrow leads there."""
    for timepoint in design.timepoints:
        drawing.y += APART if drawing.shapes else 0.0
        found = {arm.id: pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
                 for arm in design.arms}  # fmt: skip
        title = say("Surveyed at {timepoint}", timepoint=timepoint.label)
        if len(design.arms) == 1:
            lines = [say("{step}: {count}", step=title, count=people_cell(found[design.arms[0].id]))]
        else:
            lines = [title, *(_of_arm(arm, people_cell(found[arm.id])) for arm in design.arms)]
        drawing.put_row([lines], [whole])


def _is_known(row: Row) -> bool:
    """Tell whether anything may be said of how many people there were."""
    return row.is_exact or row.is_bounded


def _of_arm(arm: Arm, count: str) -> str:
    return say("{arm}: {count}", arm=arm.label, count=count)


def _caption(rows: Rows, content: ReportContent, before: Recruitment) -> str:
    """Say how the numbers fall from the first step to the last timepoint, and who is in the model."""
    design = content.design
    last = design.timepoints[-1]
    sentences = [say("From top to bottom: how many people there were at each step."), *_say_before(before)]
    for arm in design.arms:
        started = _started(rows, arm)
        answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=last.id)
        if started is not None and answered is not None and _is_known(started) and _is_known(answered):
            told = {"started": started.people, "answered": say_response(answered, started), "timepoint": last.label}
            if design.shares_baseline:
                sentences.append(
                    say("{arm}: {started} in the data, {answered} answered at {timepoint}.", arm=arm.label, **told)
                )
            elif len(design.arms) > 1:
                sentences.append(
                    say("{arm}: {started} started, {answered} answered at {timepoint}.", arm=arm.label, **told)
                )
            else:
                sentences.append(say("{started} started, {answered} answered at {timepoint}.", **told))
    sentences += _say_who_is_linked(rows, content)
    if _in_model(rows, content):
        sentences.append(_say_model(content))
    return " ".join(sentences)


def _say_model(content: ReportContent) -> str:
    concept = content.plan.measure_of(content.plan.primary.id, content.design).concept
    if content.design.shares_baseline:
        return say(
            "The model of {concept} holds all in the data who have a usable score at any timepoint, so the line to it "
            "begins there.",
            concept=concept,
        )
    return say(
        "The model of {concept} holds all who started and have a usable score at any timepoint, so the line to it "
        "begins there.",
        concept=concept,
    )


def _say_who_is_linked(rows: Rows, content: ReportContent) -> Iterator[str]:
    step = _say_linked(content)
    for arm, row in _linked(rows, content).items():
        if row is not None and _is_known(row):
            label = next(known.label for known in content.design.arms if known.id == arm)
            if len(content.design.arms) > 1:
                yield say("{step}, {arm}: {count}.", step=step, arm=label, count=row.people)
            else:
                yield say("{step}: {count}.", step=step, count=row.people)


def _say_before(before: Recruitment) -> Iterator[str]:
    for text in _tell(before):
        yield f"{text}."
    if before.not_invited:
        yield say("Not invited: {count}.", count=format_count(before.not_invited))
    if before.not_in_data:
        yield say(
            "Not in the data: {count}. Why is not known: they may have declined, or what they answered could not be "
            "used.",
            count=format_count(before.not_in_data),
        )


def _caption_of_samples(rows: Rows, design: StudyDesign, before: Recruitment) -> str:
    sentences = [say("How many people each sample holds; each timepoint is a sample of its own."), *_say_before(before)]
    for timepoint in (design.timepoints[0], design.timepoints[-1]):
        for arm in design.arms:
            row = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
            if len(design.arms) > 1:
                sentences.append(
                    say(
                        "{arm}, {timepoint}: {count}.", arm=arm.label, timepoint=timepoint.label, count=people_cell(row)
                    )
                )
            else:
                sentences.append(say("{timepoint}: {count}.", timepoint=timepoint.label, count=people_cell(row)))
    return " ".join(sentences)
