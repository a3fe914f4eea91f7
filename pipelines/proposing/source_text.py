"""The sources of study.yaml for a proposal: files, columns and codes, with a reason for every guess."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.proposing.column_roles import slips_of
from pipelines.proposing.placing import PlacedInstrument
from pipelines.proposing.proposals import StudyProposal, arm_values
from pipelines.proposing.source_proposals import SourceProposal
from pipelines.proposing.timepoint_names import slug
from pipelines.proposing.yaml_words import write_comment, write_items, write_mapping, write_text, write_value

_CERTAIN = ("equal", "part_of", "worded")


def is_written(one: PlacedInstrument) -> bool:
    """Tell whether an instrument can be declared as it is: its codes fit, or are known for all answers."""
    verdict, recode = one.proposal.anchors.verdict, one.proposal.anchors.recode
    return verdict in (*_CERTAIN, "none", "other") or (bool(recode) and None not in recode.values())


def label_sets(proposal: StudyProposal) -> dict[str, PlacedInstrument]:
    """Return name -> instrument of a source whose answers need a label set; the same answers have one name."""
    found: dict[str, PlacedInstrument] = {}
    for source in proposal.sources:
        for one in source.instruments:
            if one.proposal.anchors.recode:
                found.setdefault(_label_name(proposal, one), one)
    return found


def _label_name(proposal: StudyProposal, one: PlacedInstrument) -> str:
    recodes = [
        other.proposal.anchors.recode
        for source in proposal.sources
        for other in source.instruments
        if other.proposal.instrument == one.proposal.instrument and other.proposal.anchors.recode
    ]
    different = [recode for place, recode in enumerate(recodes) if recode not in recodes[:place]]
    place = different.index(one.proposal.anchors.recode)
    return f"{slug(one.proposal.instrument)}_answers{f'_{place + 1}' if place else ''}"


def write_source(proposal: StudyProposal, source: SourceProposal) -> Iterator[str]:
    """Yield the lines of one source."""
    export, roles = source.export, source.roles
    yield f"  - path: {write_text(export.name)}"
    yield f"    format: {export.declared.format}  # {'; '.join(export.reasons)}"
    yield from (f"    {option}: {write_value(value)}" for option, value in export.options.items())
    if roles.participant_id:
        others = f"; DECIDE: or {', '.join(roles.id_candidates[:3])}" if roles.id_candidates else ""
        yield f"    participant_id: {write_text(roles.participant_id)}  # by its name and values{others}"
    else:
        yield "    participant_id: {anonymous: true}  # every row is a person of its own"
    yield f"    timepoint: {_timepoint(source)}  # DECIDE: {_why_then(source)}"
    yield from _day_lines(source)
    yield from _people_lines(proposal, source)
    written = [one for one in source.instruments if is_written(one)]
    if written:
        yield "    instruments:"
    for one in written:
        yield f"      {_instrument(proposal, source, one)}  # {_reason(source, one)}"
    for one in source.instruments:
        if one not in written:
            yield f"    # DECIDE (see label_sets): {_reason(source, one).removeprefix('DECIDE: ')}"
            yield f"    # instruments: {{{_instrument(proposal, source, one)}}}"
    if source.scores:
        yield f"    scores: {write_mapping(source.scores)}"
    for each in source.unplaced:
        near = f" Nearest: {', '.join(each.nearest[:5])}." if each.nearest else ""
        yield f"    # not placed: {write_comment(each.name)}. {each.why}{near}"
        if each.listed:
            yield "    # DECIDE: where these are the items with the same numbers, and the others were not asked:"
            yield f"    #   {each.nearest[0]}: {{items: {write_comment(write_items(list(each.listed)))}}}"
    if source.quality:
        yield "    # DECIDE: what is too fast (a third of the median time here), or no human:"
        yield f"    # quality: {write_comment(write_mapping(source.quality))}"
    if roles.identifying:
        yield f"    # never read, because they may identify a person: {write_comment(', '.join(roles.identifying))}"


def _why_then(source: SourceProposal) -> str:
    """Return what is to be decided of a timepoint."""
    if source.way == "fixed":
        return "whether the whole file is of this timepoint"
    words = "whether each code stands at the right timepoint"
    if source.way == "column" and (slips := slips_of(source.export.table, source.roles.timepoint)):
        words += f"; rows with the rare code {write_comment(' or '.join(slips))} will be set aside"
    if not source.quiet:
        return words
    return f"{words}; there are no answers to instruments at {write_comment(', '.join(source.quiet))}"


def _day_lines(source: SourceProposal) -> Iterator[str]:
    day = source.answered_on
    if day is None:
        return
    told = f"answered_on: {{column: {write_text(day.column)}, format: {write_text(day.formats[0])}}}"
    others = f"; or {write_comment(', '.join(day.others[:3]))}" if day.others else ""
    if len(day.formats) > 1:
        told_formats = write_comment(" or ".join(day.formats))
        yield f"    # DECIDE: day or month first? All values can be read with {told_formats}{others}:"
        yield f"    # {told}"
    else:
        yield f"    {told}  # {'DECIDE: ' if others else ''}the day of the answers, by name and values{others}"


def _people_lines(proposal: StudyProposal, source: SourceProposal) -> Iterator[str]:
    roles = source.roles
    told = []
    if len(proposal.arms) > 1 and roles.arm:
        values = write_mapping(arm_values(source))
        slips = slips_of(source.export.table, roles.arm)
        rare = f"; rows with the rare code {write_comment(' or '.join(slips))} will be set aside" if slips else ""
        told.append(f"arm: {{column: {write_text(roles.arm)}, values: {values}}}  # DECIDE: the arm{rare}")
    told += [
        f"{name}: {write_text(column)}"
        for name in ("group", "site", "age", "gender")
        if (column := getattr(roles, name))
    ]
    if told:
        yield "    participant_columns:  # by their names"
        yield from (f"      {line}" for line in told)


def _timepoint(source: SourceProposal) -> str:
    if source.way == "fixed":
        return f"{{fixed: {next(iter(source.codes.values()))}}}"
    codes = write_mapping(source.codes)
    if source.way == "wide":
        return f"{{wide: {codes}}}"
    return f"{{column: {write_text(source.roles.timepoint)}, values: {codes}}}"


def _instrument(proposal: StudyProposal, source: SourceProposal, one: PlacedInstrument) -> str:
    parts = [f"items: {write_items(one.items)}"]
    if one.proposal.anchors.recode:
        parts.append(f"labels: [{_label_name(proposal, one)}]")
    if one.proposal.delivered and source.way != "wide":
        parts.append(f"delivered: {write_mapping(one.proposal.delivered)}")
    return f"{one.proposal.instrument}: {{{', '.join(parts)}}}"


def _reason(source: SourceProposal, one: PlacedInstrument) -> str:
    certain = one.proposal.is_named and one.proposal.anchors.verdict in _CERTAIN
    reasons = list(one.proposal.reasons)
    if isinstance(one.items, dict) and set(one.items) < set(source.codes.values()):
        reasons.append("no answers at other timepoints")
    told = write_comment("; ".join(reasons))
    return f"{'' if certain else 'DECIDE: '}{told} ({one.proposal.confidence:.2f})"
