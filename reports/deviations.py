"""Whether the plan was fixed before anybody could know the answers, and what was done otherwise than planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from analysis.deviations import ORDER
from analysis.fingerprint import FrozenPlan, FrozenVersion
from analysis.plan import Estimand
from reports.cells import Table
from reports.claims import Claim, join_sentences
from reports.content import ReportContent
from reports.design_words import say_limits
from reports.language import mark, say, say_as, say_many
from reports.not_computed import tabulate_not_computed
from reports.numbers import format_count
from reports.reading import Rows, pick, pick_one
from reports.sections import Block, Section
from reports.who import say_who

TITLE: Final = mark("Limits and deviations from the plan")
LIMITS_HEADING: Final = mark("What this study cannot tell")
NOT_FROZEN: Final = mark("Not pre-specified: the plan was not frozen before outcomes were read.")
"""Where nothing was frozen in time; questions and methods may then have been chosen for their answers."""
CHANGED: Final = mark(
    "Not pre-specified: this question, or how it is answered, is not as in the plan that was frozen before outcomes "
    "were read."
)
NOTHING: Final = mark("nothing")
_WHY: Final = mark(
    "Questions and methods that are chosen with the answers in sight tend to give answers that somebody hoped for; a "
    "plan that was fixed before does not."
)
_ALL_AS_PLANNED: Final = mark("Nothing was done otherwise than in the plan that was frozen.")
_AS_FAR_AS_COMPUTED: Final = mark(
    "Nothing was done otherwise than in the plan that was frozen, but something it asks for was not computed: see "
    "\u201c{heading}\u201d."
)


def add_prespecified(claim: Claim, estimand: Estimand, rows: Rows, content: ReportContent) -> Claim:
    """Return a claim with a note where its estimand is not pre-specified; a claim without a number stays as it is."""
    row = pick_one(rows, estimand=estimand.id, analysis="model")
    if row is None or row.prespecified or not claim.is_answered:
        return claim
    is_before = content.frozen is not None and content.frozen.is_before_outcomes
    note = say(CHANGED) if is_before else say(NOT_FROZEN)
    return replace(claim, notes=(*claim.notes, note))


def say_deviations(rows: Rows, content: ReportContent) -> Section:
    """Return when the plan was frozen, and what was done otherwise."""
    return Section(
        id="deviations",
        title=say(TITLE),
        lead=join_sentences(_say_state(content.frozen), *_say_lacking(rows, content)),
        blocks=(
            *_differences(rows, content),
            *_history(content.frozen),
            _limits(rows, content),
            say_who(content),
        ),
    )


def quoted_deviations(content: ReportContent) -> list[str]:
    """Return what the plan, or whoever amended it, says in the words of the study."""
    results = content.results
    told = results.loc[results["analysis"] == "deviations", ["item", "method"]]
    reasons = [version.reason for version in content.frozen.versions] if content.frozen is not None else []
    return [*told["item"], *told["method"], *filter(None, reasons)]


def _say_state(frozen: FrozenPlan | None) -> str:
    if frozen is None:
        return join_sentences(say(NOT_FROZEN), say(_WHY))
    if not frozen.is_before_outcomes:
        first = frozen.versions[0]
        late = say(
            "It was frozen on {date}, after outcomes were read on {read}.",
            date=first.frozen_on,
            read=first.outcomes_read_on,
        )
        return join_sentences(say(NOT_FROZEN), late, say(_WHY))
    return say(
        "The plan was frozen on {date}, before outcomes were read. What is not as it says is listed here.",
        date=frozen.planned.frozen_on,
    )


def _history(frozen: FrozenPlan | None) -> Iterator[Block]:
    """Yield the versions of a plan that was amended."""
    if frozen is None or len(frozen.versions) == 1:
        return
    lines = tuple(_version(version) for version in frozen.versions)
    columns = (
        say("Frozen on"), say("Outcomes read before"), say("Reason of the amendment"), say("Fingerprint"),
    )  # fmt: skip
    note = say("The analysis is held against the version of {date}.", date=frozen.planned.frozen_on)
    table = Table(say("Plans that were frozen"), columns, lines, (note,))
    yield Block(heading=say("Versions of the plan"), tables=(table,))


def _version(version: FrozenVersion) -> tuple[str, ...]:
    read = say("on {date}", date=version.outcomes_read_on) if version.outcomes_read_on else say("no")
    return (version.frozen_on, read, version.reason or say("first version"), version.fingerprint[:12])


def _say_lacking(rows: Rows, content: ReportContent) -> Iterator[str]:
    """Yield how many of the comparisons of the plan have no answer."""
    asked = [pick_one(rows, estimand=estimand.id, analysis="model") for estimand in content.plan.estimands]
    lacking = sum(answer is None or answer.verdict != "estimated" for answer in asked)
    if lacking:
        yield say_many(
            "Of {asked} question that the plan asks of the outcomes {lacking} was not computed; the method annex says "
            "why.",
            "Of {asked} questions that the plan asks of the outcomes {lacking} were not computed; the method annex "
            "says why.",
            len(asked),
            asked=format_count(len(asked)),
            lacking=format_count(lacking),
        )


def _limits(rows: Rows, content: ReportContent) -> Block:
    """Return what a study of this design cannot tell, whatever was planned."""
    is_computed = bool(pick(rows, analysis="model", verdict="estimated"))
    return Block(heading=say(LIMITS_HEADING), items=say_limits(content, is_computed=is_computed))


def _differences(rows: Rows, content: ReportContent) -> Iterator[Block]:
    """Yield the table of deviations, or that there are none."""
    if content.frozen is None:
        return
    told = pick(rows, analysis="deviations")
    lines = tuple(
        (_name_part(path), *(_cell(told, path, statistic) for statistic in ("planned", "done", "concerns")))
        for path in dict.fromkeys(row.item for row in told)
    )
    heading = say("What was done otherwise than planned")
    if not lines:
        yield Block(heading=heading, sentences=(_say_kept(rows, content),))
        return
    columns = (say("Part of the plan"), say("Planned"), say("Done"), say("Results that it concerns"))
    note = say("Keys are those of sap.yaml; those that begin with 'design' come from study.yaml.")
    yield Block(heading=heading, tables=(Table(say("Deviations from the frozen plan"), columns, lines, (note,)),))


def _say_kept(rows: Rows, content: ReportContent) -> str:
    """Say that the plan was kept, which does not mean that all of it was computed."""
    lacking = tabulate_not_computed(rows, content)
    return say(_AS_FAR_AS_COMPUTED, heading=lacking.caption) if lacking.rows else say(_ALL_AS_PLANNED)


def _name_part(path: str) -> str:
    """Return the key of the plan as its file spells it; an order has no key."""
    if not path.endswith(f".{ORDER}"):
        return path
    return say("order of the estimands of {outcome}", outcome=path.removesuffix(f".{ORDER}"))


def _cell(told: Rows, path: str, statistic: str) -> str:
    row = pick_one(told, item=path, statistic=statistic)
    if row is not None:
        return row.told
    # i18n: results that a deviation concerns
    return say_as("results", "none") if statistic == "concerns" else say(NOTHING)
