"""The scores table of a study: computed from items, and delivered where the study has no items."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data_contracts import conform, shipped_contract
from instruments import Instrument, score_responses
from pipelines.library import measures_as_delivered
from pipelines.study import Study


def derive_scores(
    responses: pd.DataFrame, delivered_scores: pd.DataFrame, study: Study, library: Mapping[str, Instrument]
) -> pd.DataFrame:
    """Return all scores of a study.

    Parameters
    ----------
    responses, delivered_scores : DataFrame
        The tables of these names.
    study : Study
        Which measures are only delivered, see `measures_as_delivered`.
    library : mapping
        The instruments of the study.

    Returns
    -------
    DataFrame
        The `scores` table. A delivered total of an instrument never replaces ours.
    """
    own = delivered_scores[delivered_scores["measure"].isin(measures_as_delivered(study, library))]
    tables = [own.assign(n_items=0, n_answered=0, method="delivered")]
    if len(responses):
        tables.insert(0, score_responses(responses, library))
    return conform(pd.concat(tables, ignore_index=True), shipped_contract("scores"))
