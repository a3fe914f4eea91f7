"""The code location: assets for each table, partitioned by study, one job, and the sensor that finds new studies."""

from collections.abc import Mapping

import dagster as dg

from data_contracts import DataContractError
from pipelines.assets import core, findings, raw
from pipelines.assets.common import STUDIES
from pipelines.io import StoreIOManager
from pipelines.resources import Studies
from pipelines.settings import study_folders

EVALUATE = "evaluate"

evaluate = dg.define_asset_job(
    EVALUATE,
    selection=dg.AssetSelection.all(),
    description="From the files of one study to its report.",
)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for each study folder that appears.",
)
def new_studies(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Register studies that have no partition yet."""
    try:
        found = [name for name, _ in study_folders()]
    except DataContractError as error:
        return dg.SkipReason(str(error))
    known = set(context.instance.get_dynamic_partitions(str(STUDIES.name)))
    new = [name for name in found if name not in known]
    return (
        dg.SensorResult(dynamic_partitions_requests=[STUDIES.build_add_request(new)])
        if new
        else dg.SkipReason("No new study.")
    )


def build_definitions(studies: Studies, loggers: Mapping[str, dg.LoggerDefinition] | None = None) -> dg.Definitions:
    """Return the code location for the studies that `studies` can open."""
    return dg.Definitions(
        assets=[raw.intake, core.scores, findings.results, findings.report],
        jobs=[evaluate],
        sensors=[new_studies],
        resources={"studies": studies, "io_manager": StoreIOManager(studies=studies)},
        executor=dg.in_process_executor,
        loggers=loggers,
    )


definitions = build_definitions(Studies())
