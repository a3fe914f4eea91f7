"""What study these exports could be of: sources, timepoints, arms, measures, and what nobody can guess."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from analysis.design import RESAMPLED, DesignKind
from data_contracts.errors import Problem, did_you_mean
from instruments import Instrument
from instruments.wording import Wording
from pipelines.errors import PipelineError
from pipelines.proposing.anchors import observed_codes
from pipelines.proposing.column_roles import values_of
from pipelines.proposing.export_formats import OpenedExports
from pipelines.proposing.placing import told_instrument
from pipelines.proposing.session_proposals import SessionProposal, propose_sessions
from pipelines.proposing.source_proposals import (
    EVENT_ARM,
    InitAnswers,
    MeasureAnswer,
    SourceProposal,
    in_one_coding,
    propose_source,
)
from pipelines.proposing.timepoint_names import FoundTimepoint, TimepointNames, name_timepoints, slug

_REFERENCE: Final = re.compile(r"control|usual|tau\b|wait|wl\b|compar|placebo|kontroll", re.I)
MOST_TWICE: Final = 0.05
"""Share of rows in a list of participants that may be about somebody again."""
ANYBODY: Final = "everybody"


@dataclass(frozen=True, slots=True)
class ArmProposal:
    """An arm: its id, the code in the files, and whether others are probably compared with it."""

    id: str
    code: str
    is_reference: bool

    @property
    def label(self) -> str:
        """The code where it is a name of several words, else the id."""
        return self.code if " " in self.code else self.id


@dataclass(frozen=True, slots=True)
class StudyProposal:
    """A study that the exports could deliver."""

    design: DesignKind
    times: TimepointNames
    arms: tuple[ArmProposal, ...]
    genders: Mapping[str, str]
    has_age: bool
    variants: Mapping[str, tuple[str, ...]]
    measures: tuple[MeasureAnswer, ...]
    sources: tuple[SourceProposal, ...]
    sessions: tuple[SessionProposal, ...]
    left_out: tuple[SourceProposal, ...]

    @property
    def timepoints(self) -> tuple[str, ...]:
        """Ids of the timepoints, the earliest first."""
        return self.times.names


def propose_study(
    opened: OpenedExports,
    library: Mapping[str, Instrument],
    answers: InitAnswers,
    wordings: Sequence[Wording] = (),
) -> StudyProposal:
    """Propose a study for exports.

    Parameters
    ----------
    opened : OpenedExports
        The files as read.
    library : mapping
        Instrument id -> definition.
    answers : InitAnswers
        What a person told; it goes before every guess.
    wordings : sequence of Wording
        Questions of licensed instruments.

    Raises
    ------
    PipelineError
        Something essential cannot be guessed; each problem names the option that answers it.
    """
    problems = _wrong_answers(opened, library, answers)
    if problems:
        raise PipelineError(problems)
    found = [propose_source(export, library, answers, wordings) for export in opened.exports]
    found = in_one_coding(found, library)
    problems = _questions(found, answers)
    with_answers = [source for source in found if source.has_answers]
    times = _name_timepoints(with_answers, answers)
    drafted = _with_timepoints(with_answers, times)
    with_answers = [_settle_quiet(*both, times.names[:1]) for both in zip(with_answers, drafted, strict=True)]
    times = _name_timepoints(with_answers, answers)
    if with_answers and len(times.names) < 2:
        told = "Only one timepoint was found, and a change needs two."
        advice = "Add '--timepoints baseline,post': the names of all planned timepoints, the earliest first."
        problems.append(Problem("timepoints_unknown", told, advice, key="--timepoints"))
    if problems:
        raise PipelineError(problems)
    with_answers = _with_timepoints(with_answers, times)
    others = [source for source in found if not source.has_answers and "repeat" not in source.export.options]
    sessions = [one for source in others if (one := propose_sessions(source.export, source.roles)) is not None]
    people = [replace(source, way="fixed", codes={"": times.names[0]}) for source in others if _tells_people(source)]
    sources = (*with_answers, *people)
    arms, design = _arms(sources, answers)
    variants = {one.proposal.instrument: one.proposal.variants
                for source in sources for one in source.instruments if one.proposal.variants}  # fmt: skip
    taken = [*(one.export for one in sources), *(one.export for one in sessions)]
    return StudyProposal(
        design, times, arms, _genders(sources), any(source.roles.age for source in sources), variants,
        answers.measures, sources, tuple(sessions),
        tuple(source for source in found if all(source.export is not one for one in taken)),
    )  # fmt: skip


def arm_values(source: SourceProposal) -> dict[str, str]:
    """Return the code of the arm -> its id, for one source; of REDCap's events the arm they belong to."""
    column = source.roles.arm
    if not column:
        return {}
    return {code: _arm_id(code) for code in values_of(source.export.table, column)}


def arms_in_groups(proposal: StudyProposal) -> list[str]:
    """Return the arms whose participants have a group, where others have none; none where files do not tell."""
    found: set[str] = set()
    for source in proposal.sources:
        if source.roles.group and source.roles.arm and len(proposal.arms) > 1:
            cells = source.export.table.cells
            meets = (cells[source.roles.group].str.strip() != "").groupby(cells[source.roles.arm].str.strip()).mean()
            found |= {_arm_id(code) for code, share in meets.items() if code and share > MOST_TWICE}
    return [arm.id for arm in proposal.arms if arm.id in found] if len(found) < len(proposal.arms) else []


def differing_codes(proposal: StudyProposal) -> list[str]:
    """Return a sentence for each instrument whose files or timepoints have different codes."""
    found: dict[str, dict[str, frozenset[int]]] = {}
    for source in proposal.sources:
        table = source.export.table
        for one in source.instruments:
            if source.way == "column":
                times = table.cells[source.roles.timepoint].str.strip()
                for code in source.codes:
                    rows = [int(row) for row in table.cells.index[times == code]]
                    codes = observed_codes(table, one.proposal.columns, rows)
                    found.setdefault(one.proposal.instrument, {})[f"{table.source} at {code}"] = codes
            else:
                codes = observed_codes(table, one.proposal.columns)
                found.setdefault(one.proposal.instrument, {})[table.source] = codes
    sentences = []
    for instrument, places in found.items():
        told = {place: codes for place, codes in places.items() if codes}
        widest = max(told.values(), key=len, default=frozenset())
        other = {place: codes for place, codes in told.items() if not codes <= widest}
        if other:
            first = next(place for place, codes in told.items() if codes == widest)
            words = "; ".join(f"{place} has {_spell(codes)}" for place, codes in other.items())
            sentences.append(f"{instrument}: {words}, where {first} has {_spell(widest)}.")
    return sentences


def _name_timepoints(sources: Sequence[SourceProposal], answers: InitAnswers) -> TimepointNames:
    """Return the timepoints of the study; those that a person named go before every guess."""
    found = name_timepoints([one for source in sources for _, one in _found_timepoints(source, sources)])
    if not answers.timepoints:
        return found
    if len(answers.timepoints) < len(found.names):
        told = f"{len(found.names)} timepoints were found ({', '.join(found.names)}), and --timepoints names fewer."
        advice = "Name one for each, the earliest first."
        raise PipelineError(Problem("timepoints_differ", told, advice, key="--timepoints"))
    new = dict(zip(found.names, answers.timepoints, strict=False))
    more = len(answers.timepoints) - len(found.names)
    weeks = (*found.weeks, *((found.weeks or (-1.0,))[-1] + place + 1 for place in range(more)))
    told_weeks = (*found.are_weeks_told, *[False] * more)
    named = name_timepoints([FoundTimepoint(name, "", "") for name in answers.timepoints])
    if named.names == answers.timepoints and all(named.are_weeks_told):
        weeks, told_weeks = named.weeks, named.are_weeks_told
    return TimepointNames(answers.timepoints, weeks, told_weeks, tuple(new[name] for name in found.ids), True)


def _found_timepoints(source: SourceProposal, sources: Sequence[SourceProposal]) -> list[tuple[str, FoundTimepoint]]:
    """Return code -> what it says of a timepoint, of the codes with answers; REDCap's events without their arm.

    Sheets of one workbook are told apart by their names, as files are.
    """
    path, sheet = source.export.name, source.export.declared.sheet
    if sheet and sum(other.export.name == path for other in sources) > 1:
        path = f"{path}/{sheet}.sheet"
    column = source.roles.timepoint if source.way == "column" else ""
    codes = [code for code in source.codes if code not in source.quiet]
    free = next(number for number in ("1", "0", "first") if number not in codes)
    return [
        (
            code,
            FoundTimepoint(
                "" if source.way == "fixed" else EVENT_ARM.sub("", code).strip("_ ") or free,
                column,
                path,
                len({EVENT_ARM.sub("", one) for one in codes}) == 1,
            ),
        )
        for code in codes
    ]


def _with_timepoints(sources: Sequence[SourceProposal], times: TimepointNames) -> list[SourceProposal]:
    """Return the sources with the timepoint of each code; a code without answers stands at the first."""
    ids = iter(times.ids)
    done = []
    for source in sources:
        told = {code: next(ids) for code, _ in _found_timepoints(source, sources)}
        named = {code: told.get(code, times.names[0]) for code in source.codes}
        placed = tuple(
            replace(one, items={named[code]: items for code, items in one.items.items()})
            if isinstance(one.items, dict) else one
            for one in source.instruments
        )  # fmt: skip
        done.append(replace(source, codes=named, instruments=placed))
    return done


def _settle_quiet(source: SourceProposal, named: SourceProposal, first: Sequence[str]) -> SourceProposal:
    """Return the source; codes without answers are timepoints of their own where its others have the first already."""
    taken = {name for code, name in named.codes.items() if code not in source.quiet}
    return source if len(source.quiet) <= 1 and not taken & set(first) else replace(source, quiet=())


def _arms(sources: Sequence[SourceProposal], answers: InitAnswers) -> tuple[tuple[ArmProposal, ...], DesignKind]:
    codes = list(dict.fromkeys(code for source in sources for code in arm_values(source)))
    ids = {_arm_id(code): code for code in reversed(codes)}
    if answers.design in ("single_group", "interrupted_time_series") or len(ids) < 2:
        if answers.design in ("randomised", "waitlist", "stepped_wedge", "matched_comparison", "comparison"):
            told = "A comparison needs arms, and no column tells them."
            advice = "Add '--arm COLUMN', or '--design single_group'."
            raise PipelineError(Problem("arm_unknown", told, advice, key="--arm"))
        return (ArmProposal(ANYBODY, "", False),), answers.design or "single_group"
    ordered = sorted(ids)
    reference = next((one for one in ordered if _REFERENCE.search(one)), ordered[0])
    is_compared = answers.design != "stepped_wedge"  # whose sequences are compared with themselves
    arms = tuple(ArmProposal(one, ids[one], is_compared and one == reference) for one in ordered)
    return arms, answers.design or "matched_comparison"


def _arm_id(code: str) -> str:
    event = EVENT_ARM.search(code)
    return f"arm_{event[1]}" if event else slug(code, "arm")


def _genders(sources: Sequence[SourceProposal]) -> dict[str, str]:
    codes = [code for source in sources if source.roles.gender
             for code in source.export.table.cells[source.roles.gender].str.strip() if code]  # fmt: skip
    return {code: slug(code, "level") for code in sorted(set(codes))[:6]}


def _tells_people(source: SourceProposal) -> bool:
    """Tell whether a file lists participants: one row each, with what they are."""
    roles = source.roles
    if not roles.participant_id or source.export.table.cells.duplicated([roles.participant_id]).mean() > MOST_TWICE:
        return False
    return any((roles.arm, roles.age, roles.gender, roles.group))


def _questions(found: Sequence[SourceProposal], answers: InitAnswers) -> list[Problem]:
    """Return what nobody can guess, with the option that answers it."""
    problems = []
    with_answers = [source for source in found if source.has_answers]
    if not with_answers:
        runs = list(dict.fromkeys(one.name for source in found for one in source.unplaced))[:5]
        seen = f" Columns that are counted: {', '.join(runs)}." if runs else ""
        problems.append(
            Problem(
                "nothing_recognised",
                f"No instrument of the library was recognised.{seen}",
                "Name one with '--instrument ID=PATTERN' (such as phq-9=Q5_{n}), or a column that holds a score with "
                "'--measure COLUMN=LOW:HIGH:better' (or worse: what a high score means).",
                key="--instrument",
            )
        )
    for source in with_answers:
        if not source.roles.participant_id and answers.design not in RESAMPLED:
            told = "No column looks like the participant's id."
            advice = (
                "Add '--participant-id COLUMN'; where rows have no id and nobody is followed, "
                "'--design repeated_cross_section'."
            )
            problems.append(
                Problem("participant_id_unknown", told, advice, source.export.table.source, key="--participant-id")
            )
    return problems


def _wrong_answers(opened: OpenedExports, library: Mapping[str, Instrument], answers: InitAnswers) -> list[Problem]:
    """Return what was told and cannot be: columns that no export has, instruments that the library has not."""
    have = [str(column) for export in opened.exports for column in export.table.cells.columns]
    problems = [*opened.problems] if not opened.exports else []
    for option, column in _told_columns(answers):
        pattern = re.escape(column).replace(r"\{t\}", ".*")
        if opened.exports and not any(re.fullmatch(pattern, name) for name in have):
            advice = f"{did_you_mean(column, have)}Name a column as it stands in the file."
            problems.append(Problem("column_missing", f"No export has the column '{column}'.", advice, key=option))
    for name, told in answers.instruments.items():
        if name not in library or not library[name].items:
            advice = f"{did_you_mean(name, library)}See 'peerimpact instruments list'."
            problems.append(
                Problem("unknown_instrument", f"The library scores no '{name}'.", advice, key="--instrument")
            )
        elif opened.exports and not any(told_instrument(export, library[name], told) for export in opened.exports):
            message = f"No export has {len(library[name].items)} columns '{told}' for the items of {name}."
            advice = "Write a pattern such as phq_{n}, or the first and last column: phq_a..phq_i."
            problems.append(Problem("items_missing", message, advice, key="--instrument"))
    if answers.design is not None and answers.design not in get_args(DesignKind):
        advice = f"Allowed: {', '.join(get_args(DesignKind))}."
        problems.append(Problem("unknown_design", f"'{answers.design}' is no design.", advice, key="--design"))
    return problems


def _told_columns(answers: InitAnswers) -> Iterator[tuple[str, str]]:
    yield from (("--participant-id", column) for column in answers.participant_ids)
    yield from (("--measure", one.column) for one in answers.measures)
    yield from (("--timepoint-column", column) for column in [answers.timepoint_column] if column)
    yield from (("--arm", column) for column in [answers.arm] if column)


def _spell(codes: frozenset[int]) -> str:
    return ", ".join(str(code) for code in sorted(codes)[:12])
