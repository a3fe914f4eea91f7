"""The `sessions` of study.yaml for files that could be attendance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.proposing.session_proposals import Codes, SessionProposal
from pipelines.proposing.yaml_words import write_comment, write_mapping, write_text, write_value


def write_sessions(found: Sequence[SessionProposal]) -> Iterator[str]:
    """Yield the lines of `sessions`; none without any."""
    if found:
        yield ""
        yield "sessions:  # DECIDE: whether these are the sessions of the programme"
    for one in found:
        yield from _source_lines(one)


def _source_lines(one: SessionProposal) -> Iterator[str]:
    export = one.export
    yield f"  - path: {write_text(export.name)}"
    yield f"    format: {export.declared.format}  # {'; '.join(export.reasons)}"
    yield from (f"    {option}: {write_value(value)}" for option, value in export.options.items())
    yield f"    participant_id: {write_text(one.participant_id)}  # by its name and values"
    if one.pattern:
        yield f"    roster: {{pattern: {write_text(one.pattern)}, count: {one.count}}}  # a column for each session"
    if one.wide:
        yield f"    wide: {write_mapping(one.wide)}  # a column for each day"
        days = ", ".join(f"{{id: {day}, date: {day}}}" for day in one.wide.values())
        yield f"    calendar: [{days}]"
    if one.session:
        yield f"    session: {write_text(one.session)}  # by its name"
    yield from _held_on(one)
    yield from _attended(one)
    if one.meets:
        told = f"{{column: {write_text(one.meets.column)}, values: {write_mapping(one.meets.values)}}}"
        yield f"    meets: {told}  # DECIDE: what the codes mean"
    for role in ("facilitator", "group", "minutes"):
        if column := getattr(one, role):
            yield f"    {role}: {write_text(column)}"


def _held_on(one: SessionProposal) -> Iterator[str]:
    if one.held_on is None:
        return
    day_format = write_text(one.held_on.formats[0])
    why = "by name and values"
    if len(one.held_on.formats) > 1:
        why = (
            f"DECIDE: day or month first? All values can be read with {write_comment(' or '.join(one.held_on.formats))}"
        )
    yield f"    held_on: {{column: {write_text(one.held_on.column)}, format: {day_format}}}  # {why}"


def _attended(one: SessionProposal) -> Iterator[str]:
    codes = one.attended
    if codes.values:
        column = f"column: {write_text(codes.column)}, " if codes.column else ""
        yield f"    attended: {{{column}values: {write_mapping(codes.values)}}}  # DECIDE: {_decide(codes)}"
    else:
        yield "    # DECIDE: whether everybody in this file came; else: attended: {column: ..., values: {...}}"


def _decide(codes: Codes) -> str:
    told = "what the codes mean"
    if codes.open:
        told += f"; and those without a meaning yet: {write_comment(', '.join(codes.open))}"
    if codes.n_rare:
        told += f"; {codes.n_rare} {'cell holds' if codes.n_rare == 1 else 'cells hold'} something else"
    return told
