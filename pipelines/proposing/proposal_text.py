"""study.yaml of a proposal: every guess with a comment, every open decision marked DECIDE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.proposing.proposals import StudyProposal, arms_in_groups
from pipelines.proposing.session_text import write_sessions
from pipelines.proposing.source_text import is_written, label_sets, write_source
from pipelines.proposing.yaml_words import write_mapping, write_text


def write_study_text(proposal: StudyProposal, study_id: str) -> str:
    """Return study.yaml for a proposal; ids of columns and codes of waves, arms and levels are all it has of the files.

    Instruments whose answers only a person can translate stand in comments, with REPLACE_ME where a code is missing.
    """
    lines = [
        "# Written by `peerimpact init`. Every guess has a comment; what only you can know is marked DECIDE.",
        f"study: {study_id}",
        f"title: {write_text(study_id)}  # DECIDE: the title of the report",
        *_texts_to_add(),
        *_design_lines(proposal),
        "",
        *_timepoint_lines(proposal),
        *_arm_lines(proposal),
        *_covariate_lines(proposal),
        *_measure_lines(proposal),
        *_variant_lines(proposal),
        *_label_lines(proposal),
        *_missing_lines(proposal),
        "sources:",
    ]
    for source in proposal.sources:
        lines += write_source(proposal, source)
    lines += write_sessions(proposal.sessions)
    if proposal.left_out:
        lines += ["", "# Nothing is taken from these files."]
        lines += [f"#   {source.export.table.source}" for source in proposal.left_out]
    return "\n".join(lines) + "\n"


def _texts_to_add() -> list[str]:
    """Return the keys that no file tells, in comments: what the report says of the study in its own words."""
    return [
        "# Texts for the report: question, programme, sponsor, evaluator, funding, interests, ethics, registration,",
        "# data_access; and delivery: {why, materials, procedures, provider, mode, place, schedule, ...}",
    ]


def _design_lines(proposal: StudyProposal) -> list[str]:
    why = {
        "single_group": "no arm column was used; 'randomised' or 'matched_comparison' where there are arms",
        "matched_comparison": "arms were found, but no file can tell whether chance chose them: 'randomised' if it did",
        "comparison": "nobody was matched; name what the arms are made alike in as 'covariates' of the plan",
        "repeated_cross_section": "nobody is followed",
        "interrupted_time_series": "nobody is followed; the trend before the programme is what is compared with",
    }.get(proposal.design, "as told")
    return [f"design: {proposal.design}  # DECIDE: {why}"]


def _timepoint_lines(proposal: StudyProposal) -> Iterator[str]:
    times = proposal.times
    order = "" if times.is_order_told else "the order, which the names do not tell; and "
    yield f"timepoints:  # DECIDE: {order}the week after the first of each, where its name does not tell it"
    for name, week, is_told in zip(times.names, times.weeks, times.are_weeks_told, strict=True):
        yield f"  - {{id: {name}, week: {week:g}}}{'' if is_told or not week else '  # DECIDE: the week'}"
    yield ""


def _arm_lines(proposal: StudyProposal) -> Iterator[str]:
    yield "arms:  # DECIDE: names, and which one others are compared with" if len(proposal.arms) > 1 else "arms:"
    for place, arm in enumerate(proposal.arms):
        reference = ", reference: true" if arm.is_reference else ""
        starts = _starts(proposal, place)
        decide = "  # DECIDE: when it begins" if starts else ""
        yield f"  - {{id: {arm.id}, label: {write_text(arm.label)}{reference}{starts}}}{decide}"
    if proposal.design == "stepped_wedge":
        everybody = ", ".join(arm.id for arm in proposal.arms)
        yield f"groups: {{meets_in: [{everybody}], randomised: true}}  # DECIDE: was their order drawn by lot?"
    elif any(source.roles.group for source in proposal.sources):
        meeting = ", ".join(arms_in_groups(proposal)) or "REPLACE_ME"
        yield f"# DECIDE: where people of an arm meet in groups: groups: {{meets_in: [{meeting}]}}"
    yield ""


def _starts(proposal: StudyProposal, place: int) -> str:
    """Return when an arm begins: of a waiting list last, of a wedge one after the other, of a series midway."""
    later = proposal.timepoints[1:]
    if proposal.design == "waitlist" and proposal.arms[place].is_reference and later:
        return f", starts: {later[-1]}"
    if proposal.design == "interrupted_time_series" and later:
        return f", starts: {later[len(later) // 2]}"
    return f", starts: {later[place]}" if proposal.design == "stepped_wedge" and place < len(later) else ""


def _covariate_lines(proposal: StudyProposal) -> Iterator[str]:
    if not proposal.has_age and not proposal.genders:
        return
    yield "covariates:"
    if proposal.has_age:
        yield "  - {id: age, label: Age, kind: number, range: [0, 110]}  # DECIDE: the range that the study admits"
    if proposal.genders:
        levels = write_mapping(proposal.genders)
        yield f"  - {{id: gender, label: Gender, kind: category, levels: {levels}}}  # DECIDE: what the codes mean"
    yield ""


def _measure_lines(proposal: StudyProposal) -> Iterator[str]:
    if proposal.measures:
        yield "measures:  # DECIDE: label and concept, as the report says them"
        for one in proposal.measures:
            label = write_text(one.id.replace("_", " "))
            yield (
                f"  - {{id: {one.id}, label: {label}, concept: {label}, "
                f"range: [{one.low:g}, {one.high:g}], higher_is: {one.higher_is}}}"
            )
        yield ""


def _variant_lines(proposal: StudyProposal) -> Iterator[str]:
    if proposal.variants:
        yield "variants:  # DECIDE: guessed by the codes in the files"
        yield from (f"  {name}: [{', '.join(variants)}]" for name, variants in proposal.variants.items())
        yield ""


def _label_lines(proposal: StudyProposal) -> Iterator[str]:
    """Yield the label sets; those that lack codes in comments."""
    known: dict[str, Mapping[str, int | None]] = {}
    open_ones: dict[str, Mapping[str, int | None]] = {}
    for name, one in label_sets(proposal).items():
        (known if is_written(one) else open_ones)[name] = one.proposal.anchors.recode
    if known:
        yield "label_sets:  # what stands in the files -> code of the instrument"
        for name, recode in known.items():
            yield f"  {name}: {write_mapping(recode)}  # DECIDE: look at the form whether this is so"
        yield ""
    for name, recode in open_ones.items():
        yield "# DECIDE: give each text its code, and take away the '# ' of these lines and of the instrument's below."
        yield from (["# label_sets:"] if not known else ["# below label_sets:"])
        told = {text: "REPLACE_ME" if code is None else code for text, code in recode.items()}
        yield f"#   {name}: {write_mapping(told)}"
        yield ""


def _missing_lines(proposal: StudyProposal) -> Iterator[str]:
    codes = {code for source in proposal.sources for one in source.instruments for code in one.proposal.anchors.missing}
    if codes:
        told = ", ".join(f"{write_text(code)}: REPLACE_ME" for code in sorted(codes))
        yield f"# DECIDE: codes that are no answers; where they say why not, such as refused: missing_codes: {{{told}}}"
        yield ""
