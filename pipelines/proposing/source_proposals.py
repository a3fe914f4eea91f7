"""What one table of an export could be as a source of a study: its instruments, scores, and how it tells when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from analysis.design import DesignKind, Direction
from instruments import Instrument
from instruments.wording import Wording
from pipelines.proposing.anchors import compare_anchors
from pipelines.proposing.column_roles import ColumnRoles, find_roles, values_of
from pipelines.proposing.days import DayProposal, find_answered_on
from pipelines.proposing.export_formats import OpenedExport
from pipelines.proposing.placing import PlacedInstrument, place_instruments, quiet_codes, told_instrument
from pipelines.proposing.recognition import (
    ColumnRecognition,
    InstrumentProposal,
    Unplaced,
    asked_items,
    recognise_instruments,
)
from pipelines.proposing.system_columns import DAY_COLUMNS, find_quality
from pipelines.proposing.timepoint_names import slug

EVENT_ARM: Final = re.compile(r"_arm_(\d+)[a-z]?$")
"""How the unique name of a REDCap event ends."""


@dataclass(frozen=True, slots=True)
class MeasureAnswer:
    """A score that a person named: the column that delivers it ({t} for the timepoint), its range and direction."""

    column: str
    low: float
    high: float
    higher_is: Direction

    @property
    def id(self) -> str:
        """A name for study.yaml."""
        return slug(self.column.replace("{t}", ""), "score")


@dataclass(frozen=True, slots=True)
class InitAnswers:
    """What a person told beside the exports; blank where it is to be guessed."""

    timepoints: tuple[str, ...] = ()
    participant_ids: tuple[str, ...] = ()
    timepoint_column: str = ""
    arm: str = ""
    design: DesignKind | None = None
    instruments: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[MeasureAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceProposal:
    """One table of an export, as a source of the study.

    Attributes
    ----------
    way : {"column", "wide", "fixed"}
        How it tells the timepoint.
    codes : mapping
        Code of the timepoint (or text in place of {t}, or blank for a fixed one) -> timepoint of the study.
    scores : mapping
        Measure id -> column.
    unplaced : tuple of Unplaced
        Runs of columns that no instrument could be told for.
    quiet : tuple of str
        Codes of the timepoint at which no instrument has an answer.
    answered_on : DayProposal or None
        The column with the day of the answers.
    quality : mapping
        The parts of ``quality`` that the file could tell.
    """

    export: OpenedExport
    roles: ColumnRoles
    way: str
    codes: Mapping[str, str]
    instruments: tuple[PlacedInstrument, ...]
    scores: Mapping[str, str]
    unplaced: tuple[Unplaced, ...]
    quiet: tuple[str, ...] = ()
    answered_on: DayProposal | None = None
    quality: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def has_answers(self) -> bool:
        """Whether it delivers items or scores."""
        return bool(self.instruments or self.scores)

    @property
    def used_columns(self) -> set[str]:
        """The columns that the proposal gives a meaning."""
        named = {column for one in self.instruments for column in one.proposal.columns}
        told = {column.replace("{t}", text) for column in self.scores.values() for text in ("", *self.codes)}
        day = {self.answered_on.column} if self.answered_on else set()
        return named | told | day | {column for one in self.instruments for column in one.proposal.delivered.values()}


def propose_source(
    export: OpenedExport, library: Mapping[str, Instrument], answers: InitAnswers, wordings: Sequence[Wording]
) -> SourceProposal:
    """Return what one table could be: its instruments, who and when, and the scores that a person named."""
    table = export.table
    told = [told_instrument(export, library[name], pattern) for name, pattern in answers.instruments.items()]
    named = [one for one in told if one is not None]
    seen = recognise_instruments(table, library, wordings)
    taken = {column for one in named for column in one.columns}
    free = [one for one in seen.instruments
            if one.instrument not in {each.instrument for each in named} and not taken & set(one.columns)]  # fmt: skip
    found = ColumnRecognition((*named, *free), tuple(one for one in seen.unplaced if not taken & set(one.columns)))
    items = {column for one in found.instruments for column in one.columns}
    roles = find_roles(table, items, answers.participant_ids, answers.timepoint_column, answers.arm)
    events = values_of(table, roles.timepoint) if roles.timepoint else []
    arms = {match[1] for code in events if (match := EVENT_ARM.search(code))}
    if len(arms) > 1 and not roles.arm:
        roles = replace(roles, arm=roles.timepoint)
    placing = place_instruments(found.instruments, roles, export)
    codes = placing.codes
    scores = {one.id: one.column for one in answers.measures
              if all(one.column.replace("{t}", code) in table.cells.columns
                     for code in (codes if placing.way == "wide" else [""]))
              and ("{t}" in one.column) == (placing.way == "wide")}  # fmt: skip
    asked = items | set(scores.values() if placing.way != "wide" else ())
    quiet = quiet_codes(table, roles.timepoint, codes, asked) if placing.way == "column" else []
    apart = {*roles.identifying, roles.participant_id, roles.timepoint, roles.arm, roles.age}
    has_day = bool(asked) and placing.way != "wide"
    return SourceProposal(
        export, roles, placing.way, dict.fromkeys(codes, ""), placing.instruments, scores,
        (*placing.doubted, *found.unplaced), tuple(quiet) if len(quiet) < len(codes) else (),
        find_answered_on(table, DAY_COLUMNS.get(export.declared.format, ()), asked, apart) if has_day else None,
        find_quality(table) if has_day else {},
    )  # fmt: skip


def in_one_coding(found: Sequence[SourceProposal], library: Mapping[str, Instrument]) -> list[SourceProposal]:
    """Return the sources; where only some files have the codes of a variant, theirs are translated instead."""
    coded: dict[str, set[tuple[str, ...]]] = {}
    for source in found:
        for one in source.instruments:
            coded.setdefault(one.proposal.instrument, set()).add(one.proposal.variants)
    return [
        replace(source, instruments=tuple(
            replace(one, proposal=_as_defined(one.proposal, source, library))
            if len(coded[one.proposal.instrument]) > 1 and one.proposal.variants else one
            for one in source.instruments
        ))
        for source in found
    ]  # fmt: skip


def _as_defined(
    proposal: InstrumentProposal, source: SourceProposal, library: Mapping[str, Instrument]
) -> InstrumentProposal:
    anchors = compare_anchors(
        source.export.table, proposal.columns, asked_items(library[proposal.instrument], proposal.listed)
    )
    return replace(proposal, variants=(), anchors=anchors, reasons=(*proposal.reasons[:2], anchors.words))
