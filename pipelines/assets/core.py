"""Scores of every instrument, and the scores that the study delivers ready-made."""

import dagster as dg
import pandas as pd

from pipelines.assets.common import STUDIES, check_and_store, contract_check, no_values_in_errors
from pipelines.intake import contract_parameters
from pipelines.resources import Studies
from pipelines.scores import derive_scores


@dg.asset(
    partitions_def=STUDIES,
    group_name="evaluation",
    dagster_type=dg.Any,
    check_specs=[contract_check("scores")],
    description="Scores, one row per participant, timepoint and measure.",
)
@no_values_in_errors
def scores(
    context: dg.AssetExecutionContext, studies: Studies, responses: pd.DataFrame, delivered_scores: pd.DataFrame
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads this annotation and knows no parameter
    """Score the answers."""
    folder = studies.open(context.partition_key)
    table = derive_scores(responses, delivered_scores, folder.study.value, folder.library)
    return check_and_store(folder.contracts["scores"], table, contract_parameters(folder.study.value, folder.library))
