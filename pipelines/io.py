"""The IO manager: assets are tables in the store of their study; nothing is ever pickled."""

import dagster as dg
import pandas as pd

from data_contracts import Checked
from pipelines.resources import Studies
from pipelines.store import Store


class StoreIOManager(dg.ConfigurableIOManager):
    """Save `Checked` tables to, and load tables from, the DuckDB store of the partition's study."""

    studies: dg.ResourceDependency[Studies]

    def handle_output(self, context: dg.OutputContext, obj: Checked) -> None:
        """Store the table and its verdicts."""
        self._store(context.partition_key).save(context.asset_key.path[-1], obj)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Return the stored table."""
        return self._store(context.partition_key).load(context.asset_key.path[-1])

    def _store(self, study: str) -> Store:
        return Store(self.studies.open(study).store)
