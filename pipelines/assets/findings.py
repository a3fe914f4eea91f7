"""Results by the plan, and what is published of them."""

from pathlib import Path

import dagster as dg
import pandas as pd

from analysis import evaluate_plan
from data_contracts import conform
from pipelines.assets.common import STUDIES, check_and_store, contract_check, no_values_in_errors
from pipelines.intake import contract_parameters
from pipelines.ledger import record_reading
from pipelines.publish import publish
from pipelines.resources import Studies
from pipelines.store import Store


@dg.asset(
    partitions_def=STUDIES,
    group_name="evaluation",
    dagster_type=dg.Any,
    check_specs=[contract_check("results")],
    description="Every number that a report may print.",
)
@no_values_in_errors
def results(
    context: dg.AssetExecutionContext,
    studies: Studies,
    scores: pd.DataFrame,
    delivered_scores: pd.DataFrame,
    participants: pd.DataFrame,
    responses: pd.DataFrame,
    flags: pd.DataFrame,
    sessions: pd.DataFrame,
    events: pd.DataFrame,
    codings: pd.DataFrame,
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads this annotation and knows no parameter
    """Carry out the plan."""
    folder = studies.open(context.partition_key)
    table = evaluate_plan(
        folder.plan.value,
        folder.design,
        scores=scores,
        delivered=delivered_scores,
        participants=participants,
        responses=responses,
        library=folder.library,
        flags=flags,
        sessions=sessions,
        events=events,
        codings=codings,
        frozen=folder.frozen,
    )
    read = Store(folder.store).load("reconciliation")
    record_reading(folder, "run", dict(zip(read["source"], read["sha256"], strict=True)))
    contract = folder.contracts["results"]
    return check_and_store(contract, conform(table, contract), contract_parameters(folder.study.value, folder.library))


@dg.asset(
    partitions_def=STUDIES,
    group_name="evaluation",
    description="What is published: the report and its tables.",
    output_required=False,
)
@no_values_in_errors
def report(
    context: dg.AssetExecutionContext,
    studies: Studies,
    results: pd.DataFrame,
    quarantine: pd.DataFrame,
    reconciliation: pd.DataFrame,
    drift: pd.DataFrame,
    linking: pd.DataFrame,
    quotations: pd.DataFrame,
) -> dg.MaterializeResult[None]:
    """Render and publish."""
    folder = studies.open(context.partition_key)
    published = publish(
        folder,
        results=results,
        quarantine=quarantine,
        reconciliation=reconciliation,
        drift=drift,
        linking=linking,
        quotations=quotations,
        verdicts=Store(folder.store).load_verdicts(),
    )
    return dg.MaterializeResult(
        metadata={path.name: dg.MetadataValue.path(_place(path, folder.path)) for path in published}
    )


def _place(path: Path, study: Path) -> str:
    """Return where a file is, seen from the study folder: a path from the root holds the name of a user."""
    return str(path.relative_to(study)) if path.is_relative_to(study) else path.name
