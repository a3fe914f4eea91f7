"""From files to checked tables: answers, participants, delivered scores, quarantine, reconciliation."""

from collections.abc import Iterator

import dagster as dg

from data_contracts import Checked
from pipelines.assets.common import ARRIVAL_CHECK, STUDIES, check_and_store, contract_check, no_values_in_errors
from pipelines.drift.find import require_no_error
from pipelines.intake import Intake, contract_parameters, take_in
from pipelines.linking import load_key
from pipelines.resources import Studies
from pipelines.settings import key_file

TABLES = {
    "responses": "Answers, one row per participant, timepoint and item.",
    "participants": "Who takes part: arm, group, site, covariates.",
    "delivered_scores": "Scores that came with the data.",
    "flags": "Answers that may have been given without care: too fast, in a straight line, by no person.",
    "sessions": "Who came to which session of the programme, how people met, and who led it.",
    "events": "What happened to participants, and when: left the programme, a stay in hospital.",
    "codings": "What coders found in excerpts of interviews.",
    "quotations": "What people said in interviews and agreed to be quoted.",
    "drift": "How deliveries differ from each other and from what is declared; never an answer.",
    "linking": "Who answered at which timepoints, and ids that may be one person; never an id.",
    "quarantine": "Rows and cells set aside, with reason and advice; never a value.",
    "reconciliation": "What became of every row read; the sum is checked.",
}


@dg.multi_asset(
    name="intake",
    outs={name: dg.AssetOut(description=description, dagster_type=dg.Any) for name, description in TABLES.items()},
    group_name="evaluation",
    check_specs=[
        *[contract_check(name) for name in TABLES],
        dg.AssetCheckSpec(
            ARRIVAL_CHECK,
            asset="responses",
            description="Rows and cells as they arrived; what broke a rule is in quarantine.",
        ),
    ],
    partitions_def=STUDIES,
)
def intake(context: dg.AssetExecutionContext, studies: Studies) -> Iterator[dg.MaterializeResult[Checked]]:
    """Read, link and check the study's files."""
    yield from _take_in(context.partition_key, studies)


@no_values_in_errors
def _take_in(study_id: str, studies: Studies) -> "list[dg.MaterializeResult[Checked]]":
    folder = studies.open(study_id)
    taken: Intake = take_in(
        folder.study.value,
        folder.data_root,
        folder.library,
        load_key(key_file()),
        folder.corrections,
        contracts=folder.contracts,
    )
    require_no_error(taken.drift)
    parameters = contract_parameters(folder.study.value, folder.library)
    return [
        check_and_store(
            folder.contracts[name], getattr(taken, name), parameters, taken.verdicts if name == "responses" else ()
        )
        for name in TABLES
    ]
