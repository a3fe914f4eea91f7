"""The frozen plan of a study: ``sap.frozen.json``, written once, amended with a reason, never edited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analysis.deviations import Comparison, compare_with_frozen, find_deviations
from analysis.fingerprint import FrozenPlan, FrozenVersion, canonical_content, fingerprint
from data_contracts.errors import Problem
from pipelines.errors import PipelineError
from pipelines.ledger import first_reading, today
from pipelines.whole_files import write_whole

if TYPE_CHECKING:
    from pipelines.folder import StudyFolder

FILE: Final = "sap.frozen.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class PlanState:
    """How a plan stands: what is frozen, what differs now, and when outcomes were first read (empty: never)."""

    comparison: Comparison
    outcomes_read_on: str

    @property
    def frozen(self) -> FrozenPlan | None:
        """What is frozen."""
        return self.comparison.frozen


def load_frozen(path: Path) -> FrozenPlan | None:
    """Return what a study folder holds as its frozen plan, or None.

    Raises
    ------
    PipelineError
        The file is not as it was written.
    """
    file = path / FILE
    if not file.exists():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise PipelineError(_broken("cannot be read")) from None
    if not isinstance(document, dict) or "seal" not in document:
        raise PipelineError(_broken("is not a frozen plan"))
    seal = document.pop("seal")
    if seal != fingerprint(document):
        raise PipelineError(_broken("was changed after it was written: its fingerprint does not fit its contents"))
    if document.get("format") != FORMAT:
        message, advice = "The frozen plan was written by another version.", "Use the version that it names."
        raise PipelineError(Problem("frozen_format", message, advice, FILE, key="format"))
    return FrozenPlan(tuple(_read_version(each) for each in document["versions"]))


def freeze_plan(folder: StudyFolder, *, again: str = "", on: str = "") -> FrozenPlan:
    """Write the plan of a study to its ``sap.frozen.json``.

    Parameters
    ----------
    folder : StudyFolder
        The opened study.
    again : str, optional
        The reason why a frozen plan is amended; earlier versions stay in the file.
    on : str, optional
        The day (ISO 8601); today without it.

    Returns
    -------
    FrozenPlan
        With the new version as its last.

    Raises
    ------
    PipelineError
        A plan is frozen and no reason is given, or nothing differs from it; or a reason is given and none is frozen.
    """
    before = folder.frozen
    content = canonical_content(folder.plan.value, folder.design, folder.library)
    is_new = before is None or bool(find_deviations(before.versions[-1].upgraded(folder.design), content))
    _require_a_reason(before, again, is_new)
    new = FrozenVersion(
        frozen_on=on or today(),
        outcomes_read_on=first_reading(folder),
        reason=again.strip(),
        software=f"peerimpact {version('peerimpact')}",
        content=content,
    )
    frozen = FrozenPlan((*(before.versions if before else ()), new))
    write_whole(folder.path / FILE, _render(folder.study.value.study, frozen).encode())
    return frozen


def describe_state(folder: StudyFolder) -> PlanState:
    """Return how the plan of a study stands."""
    comparison = compare_with_frozen(folder.plan.value, folder.design, folder.library, folder.frozen)
    return PlanState(comparison, first_reading(folder))


def _require_a_reason(before: FrozenPlan | None, again: str, is_new: bool) -> None:
    if before is None and again:
        problem = ("nothing_frozen", "There is no frozen plan to amend.", "Leave out --again.")
    elif before is None:
        return
    elif not is_new:
        day = before.versions[-1].frozen_on
        problem = ("plan_unchanged", f"This plan was frozen on {day}, and is unchanged.", "There is nothing to do.")
    elif not again.strip():
        advice = "See what differs with 'peerimpact plan show'; then amend it with --again \"the reason\"."
        problem = ("plan_frozen", f"Another plan was frozen on {before.versions[-1].frozen_on}.", advice)
    else:
        return
    raise PipelineError(Problem(*problem, FILE))


def _render(study: str, frozen: FrozenPlan) -> str:
    document: dict[str, Any] = {
        "format": FORMAT,
        "study": study,
        "versions": [
            {
                "frozen_on": each.frozen_on,
                "outcomes_read_on": each.outcomes_read_on,
                "reason": each.reason,
                "software": each.software,
                "fingerprint": each.fingerprint,
                **each.content,
            }
            for each in frozen.versions
        ],
    }
    return json.dumps(document | {"seal": fingerprint(document)}, indent=2, ensure_ascii=False) + "\n"


def _read_version(document: dict[str, Any]) -> FrozenVersion:
    return FrozenVersion(
        frozen_on=document["frozen_on"],
        outcomes_read_on=document["outcomes_read_on"],
        reason=document["reason"],
        software=document["software"],
        content={"plan": document["plan"], "design": document["design"]},
    )


def _broken(what: str) -> Problem:
    advice = (
        "Restore it from a copy, such as the one in version control. Where there is none, delete it: the plan then "
        "counts as not frozen."
    )
    return Problem("frozen_changed", f"The frozen plan {what}.", advice, FILE)
