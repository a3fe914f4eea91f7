"""Everything that can be said of a study without fitting a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis import Refusal, find_refusals
from data_contracts import Verdict, check_table, shipped_contract
from data_contracts.checking import tell_broken
from data_contracts.errors import Problem
from instruments.audit import ScoreAudit, audit_responses
from pipelines.folder import StudyFolder
from pipelines.intake import Intake, contract_parameters, take_in
from pipelines.linking import load_key
from pipelines.scores import derive_scores
from pipelines.settings import key_file


@dataclass(frozen=True, slots=True)
class CheckedStudy:
    """What intake found, the rules that delivered totals obey, and the estimands that would be refused.

    `broken` are the rules of the study's own contracts that its tables do not obey; those of severity `error` stop a
    run.
    """

    intake: Intake
    audit: ScoreAudit
    refusals: tuple[Refusal, ...]
    broken: tuple[tuple[Verdict, Problem], ...]

    @property
    def stops_a_run(self) -> bool:
        """Whether a run would end without a report."""
        return any(verdict.severity == "error" for verdict, _ in self.broken)


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
        find_refusals(
            folder.plan.value,
            folder.design,
            scores=scores,
            participants=intake.participants,
            sessions=intake.sessions,
        ),
        tuple(_find_broken(folder, intake, scores)),
    )


def _find_broken(folder: StudyFolder, intake: Intake, scores: pd.DataFrame) -> Iterator[tuple[Verdict, Problem]]:
    """Yield the broken rules of the contracts to which the study adds rules of its own."""
    parameters = contract_parameters(folder.study.value, folder.library)
    for name, contract in folder.contracts.items():
        table = scores if name == "scores" else getattr(intake, name, None)
        if isinstance(table, pd.DataFrame) and contract is not shipped_contract(name):
            for verdict in check_table(table, contract, parameters):
                if not verdict.passed:
                    yield verdict, tell_broken(verdict, contract)
