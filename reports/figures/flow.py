"""The flow of participants from eligible to analysed, as boxes and arrows, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from analysis.design import Arm, StudyDesign
from reports.cells import people_cell
from reports.content import ReportContent
from reports.figures.drawing import lay_out, wrapped
from reports.language import say
from reports.numbers import format_count
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration
from reports.tables import say_response
from reports.theme import INK

MOST_COLUMNS: Final = 2
"""Arms that stand beside each other; more of them share one column, so that a phone can show them."""
_SIZE: Final = 13
_LINE: Final = 17.0
_PAD: Final = 8.0
_STEP: Final = 26.0
"""Between boxes, where the arrows are."""
_MARGIN: Final = 6
_ACROSS: Final = 100.0
"""Width of the drawing, in its own units; its height is in pixels."""
_NARROW, _BROAD = 17, 36
"""Characters to a line that fit a phone in half of the width and in all of it."""


@dataclass(slots=True)
class _Drawing:
    """Boxes and arrows so far; `y` is how far down they reach, in pixels."""

    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    y: float = 0.0

    def put_row(self, texts: list[str], spans: list[tuple[float, float]], *, fill: str = "#ffffff") -> None:
        """Put boxes of one height beside each other; a text has its own line breaks."""
        height = max(text.count("<br>") + 1 for text in texts) * _LINE + 2 * _PAD
        for text, (left, right) in zip(texts, spans, strict=True):
            self.shapes.append({"type": "rect", "x0": left, "x1": right, "y0": self.y, "y1": self.y + height,
                                "fillcolor": fill, "line": {"color": INK, "width": 1}})  # fmt: skip
            self.annotations.append({"x": (left + right) / 2, "y": self.y + height / 2, "text": text,
                                     "showarrow": False, "xanchor": "center", "yanchor": "middle",
                                     "font": {"size": _SIZE}})  # fmt: skip
        self.y += height

    def put_arrows(self, start: list[float], end: list[float]) -> None:
        """Put an arrow down to each place of `end`; from one place it branches."""
        middle, bottom = self.y + _STEP / 2, self.y + _STEP
        tail = middle if start != end else self.y
        if start != end:
            self._rule(start[0], self.y, start[0], middle)
            self._rule(min(end), middle, max(end), middle)
        for x in end:
            self.annotations.append({"x": x, "y": bottom, "ax": x, "ay": tail, "axref": "x", "ayref": "y", "text": "",
                                     "showarrow": True, "arrowhead": 2, "arrowwidth": 1,
                                     "arrowcolor": INK})  # fmt: skip
        self.y = bottom

    def _rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.shapes.append({"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": {"color": INK, "width": 1}})


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
    drawing = _Drawing()
    declared = list(_declared(rows))
    whole = (10.0, 90.0) if len(design.arms) == 1 else (0.0, _ACROSS)
    for index, text in enumerate(declared):
        if index:
            drawing.put_arrows([50.0], [50.0])
        drawing.put_row([wrapped(text, _BROAD)], [whole], fill="#f4f6f8")
    if design.is_resampled:
        _put_samples(drawing, rows, design, whole)
        caption = _caption_of_samples(rows, design, declared)
    else:
        _put_arms(drawing, rows, content, whole, is_led_to=bool(declared))
        caption = _caption(rows, design, declared)
    figure = _figure(drawing)
    alternative = say("Flow diagram, from top to bottom. The table of people below holds the same numbers.")
    return (Illustration(id="flow", figure=figure, caption=caption, alternative=alternative),)


def _figure(drawing: _Drawing) -> go.Figure:
    axis = {"visible": False, "fixedrange": True}
    return lay_out(
        go.Figure(),
        height=int(drawing.y) + 2 * _MARGIN,
        margin={"l": _MARGIN, "r": _MARGIN, "t": _MARGIN, "b": _MARGIN},
        showlegend=False,
        xaxis={**axis, "range": [-0.5, _ACROSS + 0.5]},
        yaxis={**axis, "range": [int(drawing.y) + 1, -1]},
        shapes=drawing.shapes,
        annotations=drawing.annotations,
    )


def _declared(rows: Rows) -> Iterator[str]:
    """Yield what is declared of the time before the data begin."""
    eligible, invited = (pick_one(rows, analysis="flow", statistic=name) for name in ("eligible", "invited"))
    if eligible is not None and eligible.is_shown:
        yield say("Eligible: {count}", count=format_count(eligible.value))
    if invited is not None and invited.is_shown:
        yield say("Invited: {count}", count=format_count(invited.value))


def _put_arms(
    drawing: _Drawing, rows: Rows, content: ReportContent, whole: tuple[float, float], *, is_led_to: bool
) -> None:
    """Put a column for each arm or, where they are many, one column that tells of all."""
    arms = content.design.arms
    is_beside = len(arms) == MOST_COLUMNS
    spans = [(0.0, 47.0), (53.0, _ACROSS)] if is_beside else [whole]
    middles = [(left + right) / 2 for left, right in spans]
    for index, (step, cells) in enumerate(_steps(rows, content)):
        if index or is_led_to:
            drawing.put_arrows(middles if index else [50.0], middles)
        if is_beside:
            heads = [[] if index else [arm.label] for arm in arms]
            boxes = [[*head, step, cells[arm.id]] for head, arm in zip(heads, arms, strict=True)]
        elif len(arms) == 1:
            boxes = [[step, cells[arms[0].id]]]
        else:
            boxes = [[step, *(_of_arm(arm, cells[arm.id]) for arm in arms)]]
        drawing.put_row([_in_lines(box, _NARROW if is_beside else _BROAD) for box in boxes], spans)


def _in_lines(lines: list[str], width: int) -> str:
    return "<br>".join(wrapped(line, width) for line in lines)


def _steps(rows: Rows, content: ReportContent) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each step after the invitation, and the people of each arm who took it."""
    design, primary = content.design, content.plan.primary
    started = {arm.id: pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id) for arm in design.arms}
    yield say("Started"), {arm: people_cell(row) for arm, row in started.items()}
    for timepoint in design.timepoints:
        cells = {}
        for arm in design.arms:
            answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
            begun = started[arm.id]
            cells[arm.id] = (
                people_cell(answered) if answered is None or begun is None else say_response(answered, begun)
            )
        yield say("Answered at {timepoint}", timepoint=timepoint.label), cells
    analysed = {
        arm.id: pick_one(rows, analysis="flow", statistic="analysed", outcome=primary.id, arm=arm.id)
        for arm in design.arms
    }
    if any(analysed.values()):
        concept = content.plan.measure_of(primary.id, design).concept
        yield (
            say("In the model of {concept}", concept=concept),
            {arm: people_cell(row) for arm, row in analysed.items()},
        )


def _put_samples(drawing: _Drawing, rows: Rows, design: StudyDesign, whole: tuple[float, float]) -> None:
    """Put one box for each sample; nobody is followed from one to the next, so no arrow leads there."""
    for timepoint in design.timepoints:
        drawing.y += _STEP / 2 if drawing.shapes else 0.0
        found = {arm.id: pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
                 for arm in design.arms}  # fmt: skip
        title = say("Surveyed at {timepoint}", timepoint=timepoint.label)
        if len(design.arms) == 1:
            lines = [say("{step}: {count}", step=title, count=people_cell(found[design.arms[0].id]))]
        else:
            lines = [title, *(_of_arm(arm, people_cell(found[arm.id])) for arm in design.arms)]
        drawing.put_row([_in_lines(lines, _BROAD)], [whole])


def _is_known(row: Row) -> bool:
    """Tell whether anything may be said of how many people there were."""
    return row.is_exact or row.is_bounded


def _of_arm(arm: Arm, count: str) -> str:
    return say("{arm}: {count}", arm=arm.label, count=count)


def _caption(rows: Rows, design: StudyDesign, declared: list[str]) -> str:
    """Say how the numbers fall from the first step to the last timepoint."""
    last = design.timepoints[-1]
    sentences = [say("From top to bottom: how many people there were at each step.")]
    sentences += [f"{text}." for text in declared]
    for arm in design.arms:
        started = pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id)
        answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=last.id)
        if started is not None and answered is not None and _is_known(started) and _is_known(answered):
            told = {"started": started.people, "answered": say_response(answered, started), "timepoint": last.label}
            if len(design.arms) > 1:
                sentences.append(
                    say("{arm}: {started} started, {answered} answered at {timepoint}.", arm=arm.label, **told)
                )
            else:
                sentences.append(say("{started} started, {answered} answered at {timepoint}.", **told))
    return " ".join(sentences)


def _caption_of_samples(rows: Rows, design: StudyDesign, declared: list[str]) -> str:
    sentences = [say("How many people each sample holds; each timepoint is a sample of its own.")]
    sentences += [f"{text}." for text in declared]
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
