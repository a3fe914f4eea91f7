"""Whether the plan was fixed before anybody could know the answers, and what was done otherwise than planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from analysis.fingerprint import FrozenPlan, FrozenVersion
from analysis.plan import Estimand
from reports.cells import Table
from reports.claims import Claim
from reports.content import ReportContent
from reports.reading import Rows, pick, pick_one
from reports.sections import Block, Section

TITLE: Final = "Limits and deviations from the plan"
NOT_FROZEN: Final = "the plan was not frozen before outcomes were read"
"""The reason where nothing was frozen in time; questions and methods may then have been chosen for their answers."""
CHANGED: Final = "this question, or how it is answered, is not as in the plan that was frozen before outcomes were read"
NOTHING: Final = "nothing"
_WHY: Final = (
    "Questions and methods that are chosen with the answers in sight tend to give answers that somebody hoped for; a "
    "plan that was fixed before does not."
)
_ALL_AS_PLANNED: Final = "Nothing was done otherwise than in the plan that was frozen."


def add_prespecified(claim: Claim, estimand: Estimand, rows: Rows, content: ReportContent) -> Claim:
    """Return a claim with a note where its estimand is not pre-specified; a claim without a number stays as it is."""
    row = pick_one(rows, estimand=estimand.id, analysis="model")
    if row is None or row.prespecified or not claim.is_answered:
        return claim
    is_before = content.frozen is not None and content.frozen.is_before_outcomes
    note = f"Not pre-specified: {CHANGED if is_before else NOT_FROZEN}."
    return replace(claim, notes=(*claim.notes, note))


def say_deviations(rows: Rows, content: ReportContent) -> Section:
    """Return when the plan was frozen, and what was done otherwise."""
    return Section(
        id="deviations",
        title=TITLE,
        lead=_say_state(content.frozen),
        blocks=(*_differences(rows, content.frozen), *_history(content.frozen), _limits(content)),
    )


def quoted_deviations(content: ReportContent) -> list[str]:
    """Return what the plan, or whoever amended it, says in the words of the study."""
    results = content.results
    told = results.loc[results["analysis"] == "deviations", ["item", "method"]]
    reasons = [version.reason for version in content.frozen.versions] if content.frozen is not None else []
    return [*told["item"], *told["method"], *filter(None, reasons)]


def _say_state(frozen: FrozenPlan | None) -> str:
    if frozen is None:
        return f"Not pre-specified: {NOT_FROZEN}. {_WHY}"
    if not frozen.is_before_outcomes:
        first = frozen.versions[0]
        return (
            f"Not pre-specified: {NOT_FROZEN}. It was frozen on {first.frozen_on}, after outcomes were read on "
            f"{first.outcomes_read_on}. {_WHY}"
        )
    return (
        f"The plan was frozen on {frozen.planned.frozen_on}, before outcomes were read. What is not as it says is "
        "listed here."
    )


def _history(frozen: FrozenPlan | None) -> Iterator[Block]:
    """Yield the versions of a plan that was amended."""
    if frozen is None or len(frozen.versions) == 1:
        return
    lines = tuple(_version(version) for version in frozen.versions)
    columns = ("Frozen on", "Outcomes read before", "Reason of the amendment", "Fingerprint")
    note = f"The analysis is held against the version of {frozen.planned.frozen_on}."
    yield Block(heading="Versions of the plan", tables=(Table("Plans that were frozen", columns, lines, (note,)),))


def _version(version: FrozenVersion) -> tuple[str, ...]:
    read = f"on {version.outcomes_read_on}" if version.outcomes_read_on else "no"
    return (version.frozen_on, read, version.reason or "first version", version.fingerprint[:12])


def _limits(content: ReportContent) -> Block:
    """Return where the limits stand, and whose report this is."""
    paid = f"Paid for by: {content.sponsor}." if content.sponsor else "The study does not say who paid for it."
    by = f"Evaluated by: {content.evaluator}." if content.evaluator else "The study does not say who evaluated it."
    where = "What this study cannot tell, whatever was planned, stands at the beginning, under In short."
    return Block(heading="Limits, and whose report this is", sentences=(where, paid, by))


def _differences(rows: Rows, frozen: FrozenPlan | None) -> Iterator[Block]:
    """Yield the table of deviations, or that there are none."""
    if frozen is None:
        return
    told = pick(rows, analysis="deviations")
    lines = tuple(
        (path, *(_cell(told, path, statistic) for statistic in ("planned", "done", "concerns")))
        for path in dict.fromkeys(row.item for row in told)
    )
    heading = "What was done otherwise than planned"
    if not lines:
        yield Block(heading=heading, sentences=(_ALL_AS_PLANNED,))
        return
    columns = ("Part of the plan", "Planned", "Done", "Results that it concerns")
    note = "Keys are those of sap.yaml; those that begin with 'design' come from study.yaml."
    yield Block(heading=heading, tables=(Table("Deviations from the frozen plan", columns, lines, (note,)),))


def _cell(told: Rows, path: str, statistic: str) -> str:
    row = pick_one(told, item=path, statistic=statistic)
    return row.method if row is not None else NOTHING if statistic != "concerns" else "none"
