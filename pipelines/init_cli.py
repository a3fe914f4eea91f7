"""`peerimpact init`: the draft of a study from its exports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.markup import escape

from data_contracts.errors import Problem
from pipelines.console import FINE, INCOMPLETE, Json, err, or_exit, out, print_json
from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from analysis.design import DesignKind, Direction
    from pipelines.proposing.source_proposals import InitAnswers, MeasureAnswer

_MEASURE = re.compile(r"(.+)=([-+]?\d+(?:\.\d+)?):([-+]?\d+(?:\.\d+)?):(better|worse)")
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


def init(
    exports: Annotated[list[Path], typer.Argument(metavar="EXPORT...", help="Files as they were downloaded.")],
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", help="The study folder: new, or without study.yaml and sap.yaml.")
    ] = Path("study"),
    timepoints: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Names of all planned timepoints, the earliest first.")
    ] = None,
    participant_id: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column of the participant's id; once for each name.")
    ] = None,
    timepoint_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column that tells the timepoint.")
    ] = None,
    arm: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column that tells the arm.")] = None,
    design: Annotated[
        str | None, typer.Option(metavar="DESIGN", help="randomised, matched_comparison, single_group, ...")
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=PATTERN", help="Items of an instrument: phq-9=Q5_{n}, or phq-9=first..last column."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=LOW:HIGH:better", help="A column with a score, its range, what a high one means."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at real exports, and write the study.yaml and sap.yaml that they could be."""
    from pipelines.proposing.initialise import init_study

    def call() -> InitAnswers:
        return _answers(timepoints, participant_id, timepoint_column, arm, design, instrument, measure)

    answers = or_exit(call, as_json)
    done = or_exit(lambda: init_study(exports, into, answers), as_json)
    code = INCOMPLETE if done.problems else FINE
    outside = done.data_root != into.resolve()
    again = f"peerimpact check {into}{f' --data-root {_from_here(done.data_root)}' if outside else ''}"
    if as_json:
        problems = [problem.as_dict() for problem in done.problems]
        print_json({"exit_code": code, "found": list(done.found), "not_read": problems, "next": again})
    else:
        for line in done.found:
            out.print(escape(line))
        for problem in done.problems:
            err.print(f"[bold]not read[/bold] {escape(str(problem))}")
        out.print(escape(f"\nstudy.yaml and sap.yaml are in {into}. Look for DECIDE in both, then: {again}"))
    raise typer.Exit(code)


def _from_here(folder: Path) -> Path:
    """Return a folder below the one where the command stands as it would be typed: the way to it may name a user."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _answers(
    timepoints: str | None,
    participant_ids: Sequence[str] | None,
    timepoint_column: str | None,
    arm: str | None,
    design: str | None,
    instruments: Sequence[str] | None,
    measures: Sequence[str] | None,
) -> InitAnswers:
    """Return what the options tell; `PipelineError` for what cannot be read."""
    from pipelines.proposing.source_proposals import InitAnswers

    names = tuple(name.strip() for name in (timepoints or "").split(",") if name.strip())
    problems = [
        Problem("unknown_name", f"'{name}' cannot be the name of a timepoint.", "Write one such as month_6.",
                key="--timepoints")
        for name in names
        if not _NAME.fullmatch(name)
    ]  # fmt: skip
    if len(set(names)) < len(names):
        problems.append(Problem("name_twice", "A timepoint stands twice.", "Name each once.", key="--timepoints"))
    told: dict[str, str] = {}
    for text in instruments or ():
        name, equals, pattern = text.partition("=")
        if not equals or not pattern:
            problems.append(Problem("option_unreadable", f"Found '{text}'.", "Write phq-9=Q5_{n}.", key="--instrument"))
        told[name.strip()] = pattern
    read = [_measure(text, problems) for text in measures or ()]
    if problems:
        raise PipelineError(problems)
    return InitAnswers(
        names, tuple(participant_ids or ()), timepoint_column or "", arm or "", cast("DesignKind | None", design),
        told, tuple(one for one in read if one is not None),
    )  # fmt: skip


def _measure(text: str, problems: list[Problem]) -> MeasureAnswer | None:
    from pipelines.proposing.source_proposals import MeasureAnswer

    match = _MEASURE.fullmatch(text)
    if match is None or float(match[2]) >= float(match[3]):
        advice = "Write COLUMN=LOW:HIGH:better, or worse: such as TOTAL=0:27:worse."
        problems.append(Problem("option_unreadable", f"Found '{text}'.", advice, key="--measure"))
        return None
    return MeasureAnswer(match[1], float(match[2]), float(match[3]), cast("Direction", match[4]))
