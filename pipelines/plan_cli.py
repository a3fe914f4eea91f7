"""`peerimpact plan`: freeze the plan of a study before outcomes are read, and see how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from pipelines.console import FINE, Json, or_exit, out, print_json

if TYPE_CHECKING:
    from analysis.fingerprint import FrozenPlan
    from pipelines.freezing import PlanState

plan_app = typer.Typer(no_args_is_help=True, help="Freeze the plan before outcomes are read, and see what differs.")
StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder with study.yaml and sap.yaml.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="DIR", help="Where runs were sent; STUDY/output is looked at anyhow."),
]


@plan_app.command()
def freeze(
    study: StudyPath,
    again: Annotated[
        str, typer.Option("--again", metavar="REASON", help="Amend a frozen plan; earlier versions stay in the file.")
    ] = "",
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Write the plan, with everything that it leaves to defaults, to sap.frozen.json."""
    from pipelines.folder import open_folder
    from pipelines.freezing import freeze_plan

    frozen = or_exit(lambda: freeze_plan(open_folder(study, output=output), again=again), as_json)
    if as_json:
        print_json({"exit_code": FINE, "versions": _versions(frozen)})
    else:
        _say_versions(frozen)


@plan_app.command()
def show(study: StudyPath, output: Output = None, as_json: Json = False) -> None:
    """Tell whether the plan is frozen, when, and what differs now."""
    from pipelines.folder import open_folder
    from pipelines.freezing import describe_state

    state = or_exit(lambda: describe_state(open_folder(study, output=output)), as_json)
    if as_json:
        print_json(
            {
                "exit_code": FINE,
                "outcomes_read_on": state.outcomes_read_on,
                "is_frozen_before_outcomes": state.frozen is not None and state.frozen.is_before_outcomes,
                "versions": _versions(state.frozen),
                "deviations": [
                    {"path": str(each), "kind": each.kind, "planned": each.planned, "done": each.done}
                    for each in state.comparison.deviations
                ],
                "estimands": {
                    estimand.id: state.comparison.keeps(estimand) for estimand in state.comparison.plan.estimands
                },
            }
        )
    else:
        _say_state(state)


def _versions(frozen: FrozenPlan | None) -> list[dict[str, Any]]:
    return [
        {
            "frozen_on": each.frozen_on,
            "outcomes_read_on": each.outcomes_read_on,
            "reason": each.reason,
            "fingerprint": each.fingerprint,
            "is_held_against": each is frozen.planned,
        }
        for each in (frozen.versions if frozen is not None else ())
        if frozen is not None
    ]


def _say_versions(frozen: FrozenPlan) -> None:
    for place, each in enumerate(frozen.versions):
        when = f"after outcomes were read on {each.outcomes_read_on}" if each.outcomes_read_on else "before outcomes"
        reason = f": {each.reason}" if each.reason else ""
        word = "Amended" if place else "Frozen"
        out.print(escape(f"{word} on {each.frozen_on}, {when}{reason} (fingerprint {each.fingerprint[:12]})"))


def _say_state(state: PlanState) -> None:
    frozen = state.frozen
    if frozen is None:
        read = f"outcomes were read on {state.outcomes_read_on}" if state.outcomes_read_on else "outcomes were not read"
        out.print(f"The plan is not frozen; as far as the ledger tells, {read}.")
        return
    _say_versions(frozen)
    if not state.comparison.deviations:
        out.print("Nothing differs from it now.")
        return
    out.print(f"Differs now from what was frozen on {frozen.planned.frozen_on}:")
    for each in state.comparison.deviations:
        out.print(escape(f"  {each}: planned {each.planned or 'nothing'}; now {each.done or 'nothing'}"))
    changed = [each.id for each in state.comparison.plan.estimands if not state.comparison.keeps(each)]
    if changed:
        out.print(f"Not pre-specified any more: {', '.join(changed)}.")
