"""What `peerimpact init` says it found."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from instruments import Instrument
from pipelines.proposing.placing import PlacedInstrument
from pipelines.proposing.proposals import StudyProposal, differing_codes
from pipelines.proposing.recognition import nearest_instrument
from pipelines.proposing.session_proposals import SessionProposal
from pipelines.proposing.source_proposals import SourceProposal
from pipelines.proposing.source_text import is_written
from pipelines.proposing.system_columns import SYSTEM_NAMES, own_columns

MOST_NAMED: Final = 30
"""Unplaced columns of a file that are named; the rest is counted."""
NEAR: Final = 0.75
"""How alike a column must be to one of an earlier file to be told as near (`difflib`)."""
_PEOPLE: Final = ("participant_id", "timepoint", "arm", "group", "site", "age", "gender")


def tell_proposal(proposal: StudyProposal, library: Mapping[str, Instrument], n_like: int) -> list[str]:
    """Return what was found, a line for each thing: names of columns and files, codes, and no answer of anybody.

    Parameters
    ----------
    proposal : StudyProposal
        The study that the files could be.
    library : mapping
        Instrument id -> definition.
    n_like : int
        Pairs of ids that are alike.
    """
    nearest = nearest_instrument(library)
    lines: list[str] = []
    earlier: list[str] = []
    for source in (*proposal.sources, *proposal.left_out):
        lines += _tell_source(source, nearest, earlier)
        earlier += [column for column in source.export.table.cells.columns if column not in earlier]
    for session in proposal.sessions:
        lines += _tell_sessions(session)
    if n_like:
        lines.append(f"{n_like} pairs of ids are alike once case, punctuation, zeros or letters do not count.")
    lines += [f"Codes differ. {sentence}" for sentence in differing_codes(proposal)]
    order = "" if proposal.times.is_order_told else " (the names do not tell their order)"
    lines.append(f"Timepoints: {', '.join(proposal.timepoints)}{order}. Design: {proposal.design}.")
    return lines


def _tell_source(source: SourceProposal, nearest: Callable[[str], str], earlier: Sequence[str]) -> list[str]:
    export, roles = source.export, source.roles
    columns = list(export.table.cells.columns)
    lines = [
        f"{export.table.source}: {export.declared.format}, {len(export.table.cells)} rows, {len(columns)} columns."
    ]
    for one in source.instruments:
        state = "recognised as" if is_written(one) else "probably"
        name = _name_items(one)
        proposed = one.proposal
        lines.append(
            f"  {len(proposed.columns)} columns ({name}) {state} {proposed.instrument}: {'; '.join(proposed.reasons)} "
            f"({proposed.confidence:.2f})."
        )
    told = [f"{role} {column}" for role in _PEOPLE if (column := getattr(roles, role))]
    if told:
        lines.append(f"  By name and values: {', '.join(told)}.")
    if "header_row" in export.options:
        lines.append(f"  Its header is in row {export.options['header_row']}, below other lines.")
    if source.answered_on:
        formats = " or ".join(source.answered_on.formats)
        lines.append(f"  Day of the answers: {source.answered_on.column} ({formats}).")
    if roles.identifying:
        lines.append(f"  Never read, because they may identify a person: {', '.join(roles.identifying)}.")
    for each in source.unplaced[:MOST_NAMED]:
        near = f" Nearest: {', '.join(each.nearest[:5])}." if each.nearest else ""
        lines.append(f"  Not placed: {each.name} ({len(each.columns)} columns). {each.why}{near}")
    settled = source.used_columns | {getattr(roles, role) for role in _PEOPLE} | set(roles.identifying)
    settled |= {column for each in source.unplaced for column in each.columns}
    rest = [column for column in columns if column not in settled]
    return [*lines, *_tell_rest(rest, source, nearest, earlier)]


def _without_box(column: str) -> str:
    """Return the question of a checkbox of REDCap: its boxes are told in one line."""
    question, box, _ = column.partition("___")
    return f"{question}___ (checkboxes)" if box else column


def _name_items(one: PlacedInstrument) -> str:
    """Return the pattern of items, and at which timepoints it stands where it does not at all of them."""
    if isinstance(one.items, dict):
        patterns = {items if isinstance(items, str) else "" for items in one.items.values()}
        if len(patterns) == 1 and "" not in patterns:
            return f"{patterns.pop()} at {', '.join(one.items)}"
    return one.items if isinstance(one.items, str) else f"{one.proposal.columns[0]} ..."


def _tell_rest(
    rest: Sequence[str], source: SourceProposal, nearest: Callable[[str], str], earlier: Sequence[str]
) -> Iterator[str]:
    """Yield the columns that nothing was found for: those of the system in one line, then a line for each."""
    kind = source.export.declared.format
    own = own_columns(rest, kind)
    if own:
        yield f"  {len(own)} columns of {SYSTEM_NAMES[kind]} itself are not used: {', '.join(own)}."
    others = list(dict.fromkeys(_without_box(column) for column in rest if column not in own))
    yield from (f"  Not placed: {_with_nearest(column, nearest, earlier)}" for column in others[:MOST_NAMED])
    if len(others) > MOST_NAMED:
        yield f"  ... and {len(others) - MOST_NAMED} more columns."


def _tell_sessions(one: SessionProposal) -> Iterator[str]:
    table = one.export.table
    yield f"{table.source}: {one.export.declared.format}, {len(table.cells)} rows, {len(table.cells.columns)} columns."
    kind = f"a roster of {one.count or len(one.wide)} sessions" if one.is_roster else "a log of sessions"
    told = f"participant_id {one.participant_id}"
    others = {"session": one.session, "attended": one.attended.column, "facilitator": one.facilitator,
              "group": one.group, "minutes": one.minutes, "held_on": one.held_on.column if one.held_on else "",
              "meets": one.meets.column if one.meets else ""}  # fmt: skip
    named = "".join(f", {role} {column}" for role, column in others.items() if column)
    yield f"  Probably {kind}: {told}{named}."
    if one.attended.open:
        yield f"  Codes of attendance without a meaning yet: {', '.join(one.attended.open)}."


def _with_nearest(column: str, nearest: Callable[[str], str], earlier: Sequence[str]) -> str:
    """Return a column with what is nearest: a column of an earlier file where it is new, or an instrument."""
    if earlier and column not in earlier:
        near = difflib.get_close_matches(column, earlier, n=1, cutoff=NEAR)
        return f"{column}, new in this file{f'; nearest before: {near[0]}' if near else ''}."
    instrument = nearest(column)
    return f"{column}{f'; nearest: {instrument}' if instrument else ''}."
