"""Everything that can be said of a study without fitting a model."""

from __future__ import annotations

from dataclasses import dataclass

from analysis import Refusal, find_refusals
from instruments.audit import ScoreAudit, audit_responses
from pipelines.folder import StudyFolder
from pipelines.intake import Intake, take_in
from pipelines.linking import load_key
from pipelines.scores import derive_scores
from pipelines.settings import key_file


@dataclass(frozen=True, slots=True)
class CheckedStudy:
    """What intake found, the rules that delivered totals obey, and the estimands that would be refused."""

    intake: Intake
    audit: ScoreAudit
    refusals: tuple[Refusal, ...]


def check_study(folder: StudyFolder) -> CheckedStudy:
    """Read, link and check the files of a study, score them, and ask the guards of every estimand.

    Raises
    ------
    PeerimpactError
        A file cannot be read as declared.
    """
    intake = take_in(
        folder.study.value,
        folder.data_root,
        folder.library,
        load_key(key_file()),
        folder.corrections,
        contracts=folder.contracts,
    )
    scores = derive_scores(intake.responses, intake.delivered_scores, folder.study.value, folder.library)
    answered = {name: folder.library[name] for name in dict.fromkeys(intake.responses["instrument"])}
    return CheckedStudy(
        intake,
        audit_responses(intake.responses, intake.delivered_scores, answered),
        find_refusals(folder.plan.value, folder.design, scores=scores, participants=intake.participants),
    )
